import java.util.HexFormat;
import java.util.Scanner;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;

/** Reads keys in hexadecimal, one a line; writes the partition that Java's producer gives each. */
class Partition {
    public static void main(String[] arguments) {
        int partitions = Integer.parseInt(arguments[0]);
        Scanner lines = new Scanner(System.in);
        while (lines.hasNextLine()) {
            byte[] key = HexFormat.of().parseHex(lines.nextLine());
            System.out.println(BuiltInPartitioner.partitionForKey(key, partitions));
        }
    }
}
