import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;

/** What Apache Avro's own library says of schemas: one question a line of JSON, one answer a line. */
public final class Oracle {
  private static final ObjectMapper JSON = new ObjectMapper();

  private record Parsed(Schema schema, List<Schema> referenced) {}

  public static void main(String[] arguments) throws Exception {
    BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    for (String line = questions.readLine(); line != null; line = questions.readLine()) {
      answers.println(JSON.writeValueAsString(answer(JSON.readTree(line))));
    }
  }

  private static ObjectNode answer(JsonNode question) {
    ObjectNode answer = JSON.createObjectNode();
    try {
      if (question.has("writer")) {
        check(question, answer);
      } else {
        Parsed parsed = parse(question.get("schema").textValue(), question);
        answer.put("text", parsed.schema.toString(parsed.referenced, false));
        answer.put("resolved", parsed.schema.toString());
      }
    } catch (Exception | StackOverflowError error) {
      answer.put("error", String.valueOf(error.getMessage()));
    }
    return answer;
  }

  private static Parsed parse(String text, JsonNode question) {
    Schema.Parser parser = new Schema.Parser();
    parser.setValidateDefaults(question.path("validateDefaults").asBoolean(true));
    List<Schema> referenced = new ArrayList<>();
    for (JsonNode each : question.path("referenced")) {
      referenced.add(parser.parse(each.textValue()));
    }
    return new Parsed(parser.parse(text), referenced);
  }

  private static void check(JsonNode question, ObjectNode answer) {
    Schema reader = parse(question.get("schema").textValue(), question).schema;
    Schema writer = parse(question.get("writer").textValue(), question).schema;
    ArrayNode found = JSON.createArrayNode();
    for (SchemaCompatibility.Incompatibility each :
        SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getResult().getIncompatibilities()) {
      found.addObject()
          .put("type", each.getType().toString())
          .put("location", each.getLocation())
          .put("message", each.getMessage())
          .put("reader", each.getReaderFragment().toString())
          .put("writer", each.getWriterFragment().toString());
    }
    answer.set("incompatibilities", found);
  }
}
