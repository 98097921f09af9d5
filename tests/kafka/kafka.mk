# What runs the Kafka suite. tests/tests.mk includes it.

# Reduced sizes, as a part of make test; FULL=1: all of it. The broker that librdkafka before 2.6.1
# can speak SCRAM to is an older one.
kafka: all kafka-broker build/kafka/lib-3.9.ok $$(LIVE_PROGRAMS) $$(KAFKA_PROGRAMS)
	@$(AS_ROOT) $(PYTHON) -B tests/kafka/run.py --build $(OUT) $(if $(FULL),--full) $(if $(ONLY),$(ONLY))

test-kafka: bootstrap-test
	@$(MAKE) --no-print-directory kafka

bootstrap-kafka:
	@tests/bootstrap.sh kafka

kafka-broker: build/kafka/lib.ok build/kafka/classes/Tool.class

KAFKA_GET = $(Q)mvn -q -B -f tests/kafka/pom.xml dependency:copy-dependencies \
	-DoutputDirectory=$(CURDIR)/$(@:.ok=)

build/kafka/lib.ok: tests/kafka/pom.xml
	$(call msg,MVN,$@)
	$(KAFKA_GET) && touch $@

build/kafka/lib-3.9.ok: tests/kafka/pom.xml
	$(call msg,MVN,$@)
	$(KAFKA_GET) -Dkafka.version=3.9.1 && touch $@

build/kafka/classes/Tool.class: tests/kafka/Tool.java build/kafka/lib.ok
	$(call msg,JAVA,$@)
	$(Q)mkdir -p $(@D) && javac -d $(@D) -cp 'build/kafka/lib/*' $<

# The journal and its stream alone, at rates that packets do not reach on two cores.
KAFKA_PROGRAMS := $(OUT)/kafka/pour

$(OUT)/kafka/pour: tests/kafka/pour.c $(OUT)/libdemarc.a
	$(call msg,TEST,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -Itests $(ALL_LDFLAGS) -o $@ $< $(OUT)/libdemarc.a $(LIBS)

.PHONY: kafka test-kafka bootstrap-kafka kafka-broker
