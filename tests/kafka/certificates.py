# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""certificates - a CA of the test's own and what it signs, by openssl.

    ca.pem, NAME.pem (certificate), NAME.key, NAME.both.pem (both, as the broker wants them)

broker is for 127.0.0.1, wrong for another name, client for nobody in particular;
stranger is a client of another CA.
"""
import os
import subprocess


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)


def authority(folder, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", f"/CN=demarc test {name}", "-keyout", f"{folder}/{name}.key",
            "-out", f"{folder}/{name}.pem")


def sign(folder, name, subject, alternative="", by="ca"):
    request, extension = f"{folder}/{name}.csr", f"{folder}/{name}.ext"
    with open(extension, "w") as out:
        out.write(f"subjectAltName={alternative}\n" if alternative else "basicConstraints=CA:FALSE\n")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", f"/CN={subject}", "-keyout", f"{folder}/{name}.key", "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", f"{folder}/{by}.pem", "-CAkey", f"{folder}/{by}.key",
            "-CAcreateserial", "-days", "2", "-extfile", extension, "-out", f"{folder}/{name}.pem")
    with open(f"{folder}/{name}.both.pem", "w") as out:
        for part in (f"{folder}/{name}.key", f"{folder}/{name}.pem"):
            with open(part) as pem:
                out.write(pem.read())


def make(folder):
    os.makedirs(folder, exist_ok=True)
    authority(folder, "ca")
    authority(folder, "other-ca")
    sign(folder, "broker", "127.0.0.1", "IP:127.0.0.1,DNS:localhost")
    sign(folder, "wrong", "elsewhere.invalid", "DNS:elsewhere.invalid")
    sign(folder, "client", "agent")
    sign(folder, "stranger", "agent", by="other-ca")
    return folder
