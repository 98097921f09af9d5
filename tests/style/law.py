# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""law - what every law of style gives: a sentence, a way to find breaches, a breach to plant.

A law is a module with
    LAW             the sentence that it defends
    breaches(tree)  a list of "file:line: what is wrong"
    PLANTED         {path: text}: files that break it, for the test that the law bites
    SOUND           {path: text}: files that keep it
"""
import os
import subprocess


class Tree:
    """The files of a checkout, or of a planted folder."""

    def __init__(self, root, build=None):
        self.root, self.build = root, build
        self.names = self._list()

    def _list(self):
        if os.path.exists(os.path.join(self.root, ".git")):
            listed = subprocess.run(["git", "-C", self.root, "ls-files", "-co", "--exclude-standard"],
                                    stdout=subprocess.PIPE, text=True, check=True).stdout
            found = listed.splitlines()
        else:
            found = [os.path.relpath(os.path.join(folder, name), self.root)
                     for folder, _, names in os.walk(self.root) for name in names]
        return sorted(name for name in found if os.path.isfile(os.path.join(self.root, name)))

    def files(self, *endings, under=("",)):
        return [name for name in self.names if name.endswith(tuple(endings)) and
                name.startswith(tuple(under))]

    def text(self, name):
        with open(os.path.join(self.root, name), encoding="utf-8", errors="replace") as content:
            return content.read()

    def lines(self, name):
        return self.text(name).split("\n")
