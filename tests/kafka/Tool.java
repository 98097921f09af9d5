// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Tool - what the tests do to a broker with Kafka's own client: one command a line on standard
// input, one line "done" or "failed WHY" as the answer. Messages that were read go before it,
// one JSON object a line, in the form of kcat -J.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Tool {
	private final String brokers;
	private final Admin admin;
	private final PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);

	Tool(String brokers) {
		this.brokers = brokers;
		admin = Admin.create(Map.of("bootstrap.servers", brokers));
	}

	public static void main(String[] args) throws Exception {
		Tool tool = new Tool(args[0]);
		BufferedReader in = new BufferedReader(
			new InputStreamReader(System.in, StandardCharsets.UTF_8));
		for (String line; (line = in.readLine()) != null;) {
			try {
				tool.run(line.split("\t"));
				tool.out.println("done");
			} catch (Exception error) {
				Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
				tool.out.println("failed " + cause);
			}
			tool.out.flush();
		}
		System.exit(0);
	}

	private void run(String[] words) throws Exception {
		switch (words[0]) {
		case "create" -> create(words);
		case "delete" -> admin.deleteTopics(List.of(words[1])).all().get();
		case "password" -> setPassword(words[1], words[2]);
		case "deny" -> deny(words[1], words[2]);
		case "permit" -> admin.deleteAcls(List.of(AclBindingFilter.ANY)).all().get();
		case "leader" -> out.println(admin.describeTopics(List.of(words[1])).allTopicNames().get()
			.get(words[1]).partitions().get(0).leader().id());
		case "read" -> read(words[1]);
		case "write" -> write(words);
		default -> throw new IllegalArgumentException("no command " + words[0]);
		}
	}

	/* create TOPIC PARTITIONS COPIES [NAME=VALUE]... */
	private void create(String[] words) throws Exception {
		Map<String, String> settings = new HashMap<>();
		for (int i = 4; i < words.length; i++) {
			String[] pair = words[i].split("=", 2);
			settings.put(pair[0], pair[1]);
		}
		admin.createTopics(List.of(new NewTopic(words[1], Integer.parseInt(words[2]),
			Short.parseShort(words[3])).configs(settings))).all().get();
	}

	private void setPassword(String user, String password) throws Exception {
		admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(user,
			new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096), password))).all().get();
	}

	/* The user may do nothing with the topic any more. */
	private void deny(String user, String topic) throws Exception {
		admin.createAcls(List.of(new AclBinding(
			new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
			new AccessControlEntry("User:" + user, "*", AclOperation.ALL,
				AclPermissionType.DENY)))).all().get();
	}

	/* All of a topic, up to where it ends now. */
	private void read(String topic) {
		Properties settings = new Properties();
		settings.put("bootstrap.servers", brokers);
		settings.put("key.deserializer", ByteArrayDeserializer.class);
		settings.put("value.deserializer", ByteArrayDeserializer.class);
		try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings)) {
			List<TopicPartition> parts = new ArrayList<>();
			consumer.partitionsFor(topic).forEach(
				part -> parts.add(new TopicPartition(topic, part.partition())));
			consumer.assign(parts);
			consumer.seekToBeginning(parts);
			Map<TopicPartition, Long> ends = consumer.endOffsets(parts);
			Set<TopicPartition> open = new HashSet<>(parts);
			while (true) {
				open.removeIf(part -> consumer.position(part) >= ends.get(part));
				if (open.isEmpty())
					return;
				for (ConsumerRecord<byte[], byte[]> each : consumer.poll(Duration.ofMillis(200)))
					print(each);
			}
		}
	}

	private void print(ConsumerRecord<byte[], byte[]> record) {
		StringBuilder line = new StringBuilder("{\"topic\":");
		quote(line, record.topic());
		line.append(",\"partition\":").append(record.partition());
		line.append(",\"offset\":").append(record.offset());
		line.append(",\"ts\":").append(record.timestamp()).append(",\"headers\":[");
		String comma = "";
		for (Header header : record.headers()) {
			line.append(comma);
			comma = ",";
			quote(line, header.key());
			line.append(',');
			quote(line, text(header.value()));
		}
		line.append("],\"key\":");
		quote(line, text(record.key()));
		line.append(",\"payload\":");
		quote(line, text(record.value()));
		out.println(line.append('}'));
	}

	private static String text(byte[] bytes) {
		return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
	}

	private static void quote(StringBuilder line, String text) {
		if (text == null) {
			line.append("null");
			return;
		}
		line.append('"');
		for (int i = 0; i < text.length(); i++) {
			char c = text.charAt(i);
			if (c == '"' || c == '\\')
				line.append('\\').append(c);
			else if (c < 0x20)
				line.append(String.format("\\u%04x", (int) c));
			else
				line.append(c);
		}
		line.append('"');
	}

	/* write TOPIC KEY VALUE [NAME=HEADER]... */
	private void write(String[] words) throws Exception {
		Properties settings = new Properties();
		settings.put("bootstrap.servers", brokers);
		settings.put("key.serializer", ByteArraySerializer.class);
		settings.put("value.serializer", ByteArraySerializer.class);
		try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings)) {
			ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(words[1],
				words[2].getBytes(StandardCharsets.UTF_8),
				words[3].getBytes(StandardCharsets.UTF_8));
			for (int i = 4; i < words.length; i++) {
				String[] pair = words[i].split("=", 2);
				record.headers().add(pair[0], pair[1].getBytes(StandardCharsets.UTF_8));
			}
			producer.send(record).get();
		}
	}
}
