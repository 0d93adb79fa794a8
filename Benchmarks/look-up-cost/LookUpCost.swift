import Dispatch
import FoundationEssentials
import Logging
import Postgres

/// Looks one row up again and again on a reactor's thread, one look-up at a time, for a profiler that counts instructions.
///
/// Usage: `look-up-cost CONNECTION-STRING COUNT [record]`. The difference between two runs with different counts is the cost of the
/// look-ups alone, without the start of the process. With `record`, the row is one column of type `record`.
@main
struct LookUpCost {
    /// A row of the same number and types of columns as the look-up of a key.
    private static let columns =
        """
        '6a1f0b4e-8a55-4d0c-9f0e-0d7d8ac4b1f2'::uuid, '6a1f0b4e-8a55-4d0c-9f0e-0d7d8ac4b1f3'::uuid, 'service', \
        'live', 'a key of some service', '{}'::text[], '{}'::text[], NULL::text[], '{}'::text[], NULL::int4, NULL::int4, \
        NULL::timestamptz, false, NULL::timestamptz, NULL::timestamptz, false, NULL::timestamptz, NULL::timestamptz, \
        false, '{}'::jsonb, NULL::uuid, true, clock_timestamp(), NULL::text
        """

    private static let lookUp = Statement("SELECT \(columns) WHERE $1::bytea IS NOT NULL")
    private static let lookUpOfRecord = Statement("SELECT ROW(\(columns)) WHERE $1::bytea IS NOT NULL")

    /// An asynchronous `main` gives its thread up, which callgrind 3.19 does not survive.
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3, let count = Int(arguments[2]) else {
            print("usage: look-up-cost CONNECTION-STRING COUNT [record]")
            return
        }
        let isRecord = arguments.dropFirst(3).first == "record"
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            do {
                let found = try await run(arguments[1], count: count, isRecord: isRecord)
                print("\(found) of \(count) look-ups found a row")
            } catch {
                print("the look-ups failed: \(error)")
            }
            done.signal()
        }
        done.wait()
    }

    private static func run(_ connectionString: String, count: Int, isRecord: Bool) async throws -> Int {
        let configuration = try PostgresConfiguration(connectionString)
        let digest = [UInt8](repeating: 0xA5, count: 32)
        let reactor = try Reactor()
        let pipeline = PostgresPipeline(configuration, reactors: [reactor], logger: Logger(label: "look-up-cost"))
        let found = try await withTaskExecutorPreference(reactor) {
            var found = 0
            for _ in 0..<count {
                guard let row = try await pipeline.query(isRecord ? lookUpOfRecord : lookUp, [digest]).first else {
                    continue
                }
                let isFound = isRecord ? try decode(row.decode(0, as: PostgresRecord.self)) : try decode(row)
                if isFound { found += 1 }
            }
            return found
        }
        await pipeline.shutdown()
        await reactor.shutdown()
        return found
    }

    /// Decodes every column, as the store of keys does.
    private static func decode(_ row: some Columns) throws(PostgresError) -> Bool {
        let identifiers = (try row.decode(0, as: UUID.self), try row.decode(1, as: UUID.self))
        var isEmpty = true
        for column in 2...4 where try !row.decode(column, as: String.self).isEmpty { isEmpty = false }
        for column in 5...6 where try !row.decode(column, as: [String].self).isEmpty { isEmpty = false }
        if try row.decode(7, as: [String]?.self) != nil { isEmpty = false }
        if try !row.decode(8, as: [String].self).isEmpty { isEmpty = false }
        for column in 9...10 where try row.decode(column, as: Int?.self) != nil { isEmpty = false }
        for column in [11, 13, 14, 16, 17] where try row.decode(column, as: PostgresTimestamp?.self) != nil {
            isEmpty = false
        }
        for column in [12, 15, 18, 21] where try row.decode(column, as: Bool.self) { isEmpty = false }
        if try row.decode(19, as: PostgresJSON.self).text.isEmpty { isEmpty = true }
        if try row.decode(20, as: UUID?.self) == identifiers.0 { isEmpty = true }
        if try row.decode(22, as: PostgresTimestamp.self).microsecondsSinceUnixEpoch == 0 { isEmpty = true }
        if try row.decode(23, as: String?.self) != nil { isEmpty = true }
        return !isEmpty
    }
}

/// A row, or a record.
private protocol Columns {
    func decode<T: PostgresDecodable>(_ column: Int, as type: T.Type) throws(PostgresError) -> T
}

extension Row: Columns {}
extension PostgresRecord: Columns {}
