import FoundationEssentials
import Postgres
import TestSupport
import Testing

/// Values keep their meaning on the way to the server and back.
@Suite(.hangLimit) struct ValueTests {
    /// Sends `value` as a parameter, lets the server compare it with a literal, and reads both back.
    private func check<T: PostgresCodable & Equatable>(
        _ connection: PostgresConnection,
        _ value: T,
        _ literal: String
    ) async throws {
        let statement = Statement("SELECT $1 IS NOT DISTINCT FROM \(literal), $1, \(literal)", prepared: false)
        let row = try await connection.query(statement, [value])[0]
        let (isSame, echo, read) = try row.decode((Bool, T, T).self)
        #expect(isSame, "\(literal)")
        #expect(echo == value)
        #expect(read == value)
    }

    @Test func `numbers and booleans keep their value up to the limits of their type`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await check(connection, true, "true")
            try await check(connection, false, "false")
            for value in [Int16.min, -1, 0, .max] { try await check(connection, value, "'\(value)'::int2") }
            for value in [Int32.min, -1, 0, .max] { try await check(connection, value, "'\(value)'::int4") }
            for value in [Int64.min, -1, 0, .max] { try await check(connection, value, "'\(value)'::int8") }
            for value in [Int.min, -1, 0, .max] { try await check(connection, value, "'\(value)'::int8") }
            for value in [0, -0.5, 1e300, .leastNonzeroMagnitude, .greatestFiniteMagnitude] {
                try await check(connection, value, "'\(value)'::float8")
            }
            try await check(connection, Double.infinity, "'infinity'::float8")
            let nan = try await connection.query(Statement("SELECT $1 = 'NaN'::float8, $1"), [Double.nan])[0]
            #expect(try nan.decode(0, as: Bool.self))
            #expect(try nan.decode(1, as: Double.self).isNaN)
            #expect(try await connection.query(Statement("SELECT 1.5::float4"))[0].decode(0, as: Double.self) == 1.5)
        }
    }

    @Test func `an integer is read as any type that can hold its value, and refused by others`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let row = try await connection.query(Statement("SELECT 7::int2, 7::int4, 7::int8, 7::oid, 32768"))[0]
            for column in 0..<4 {
                #expect(try row.decode(column, as: Int16.self) == 7)
                #expect(try row.decode(column, as: Int64.self) == 7)
            }
            #expect(throws: PostgresError.self) { try row.decode(4, as: Int16.self) }
        }
    }

    @Test func `texts, bytes, identifiers and documents keep every byte, also empty ones`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            for text in ["", " ", "plain", "a'b\"c\\d", "Grüße 🗝️", String(repeating: "x", count: 1 << 20)] {
                try await check(connection, text, "\(PostgresConnection.quote(literal: text))::text")
            }
            let all = [UInt8](0...255)
            try await check(connection, [UInt8](), "''::bytea")
            try await check(
                connection,
                all,
                "'\\x\(all.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined())'::bytea"
            )
            let id = UUID()
            try await check(connection, id, "'\(id.uuidString)'::uuid")
            try await check(connection, PostgresJSON(#"{"a": [1, null]}"#), #"'{"a": [1, null]}'::jsonb"#)
            let json = try await connection.query(Statement(#"SELECT '{ "a":1}'::json"#))[0]
            #expect(try json.decode(0, as: PostgresJSON.self).text == #"{ "a":1}"#)
            let named =
                try await connection.query(Statement("SELECT 'a'::varchar, 'b'::name, 'c'::char(1), 'd'::\"char\""))[0]
            let texts = try named.decode((String, String, String, String).self)
            #expect(texts == ("a", "b", "c", "d"))
        }
    }

    @Test func `timestamps keep their microseconds before and after 2000`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let instants: [(Int64, String)] = [
                (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59.999999Z"),
                (946_684_800_000_000, "2000-01-01T00:00:00Z"), (946_684_799_999_999, "1999-12-31T23:59:59.999999Z"),
                (1_700_000_000_123_456, "2023-11-14T22:13:20.123456Z"),
                (-62_135_596_800_000_000, "0001-01-01T00:00:00Z"),
                (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
            ]
            for (microseconds, literal) in instants {
                let value = PostgresTimestamp(microsecondsSinceUnixEpoch: microseconds)
                try await check(connection, value, "'\(literal)'::timestamptz")
            }
            for infinite in ["infinity", "-infinity"] {
                let row = try await connection.query(Statement("SELECT '\(infinite)'::timestamptz", prepared: false))[0]
                #expect(throws: PostgresError.self) { try row.decode(0, as: PostgresTimestamp.self) }
            }
        }
    }

    @Test(arguments: [Int64.min, Int64.min + 946_684_800_000_000])
    func `an instant that the server cannot store is refused by the server`(instant: Int64)
        async throws
    {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let error = await failure {
                let value = PostgresTimestamp(microsecondsSinceUnixEpoch: instant)
                return try await connection.query(Statement("SELECT $1"), [value])
            }
            #expect(error?.sqlState?.rawValue == "22008")
        }
    }

    @Test func `arrays of each element type keep their elements, also empty and long ones`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await check(connection, [String](), "'{}'::text[]")
            try await check(
                connection,
                ["", "a,b", "NULL", "ü\"\\"],
                #"ARRAY['', 'a,b', 'NULL', E'ü"\\']::text[]"#
            )
            try await check(connection, [Int64](), "'{}'::int8[]")
            try await check(connection, [Int64.min, 0, .max], "'{\(Int64.min),0,\(Int64.max)}'::int8[]")
            try await check(connection, [[UInt8]](), "'{}'::bytea[]")
            try await check(connection, [[], [0, 255]], #"ARRAY['', '\x00ff']::bytea[]"#)
            let ids = [UUID(), UUID()]
            try await check(connection, ids, "ARRAY['\(ids[0])', '\(ids[1])']::uuid[]")
            let epoch = PostgresTimestamp(microsecondsSinceUnixEpoch: 0)
            try await check(connection, [epoch], "ARRAY['1970-01-01T00:00:00Z']::timestamptz[]")
            let many = (0..<100_000).map(Int64.init)
            try await check(connection, many, "(SELECT array_agg(n) FROM generate_series(0::int8, 99999) n)")
            let narrow = try await connection.query(Statement("SELECT '{1,2}'::int4[], '{x}'::varchar[]"))[0]
            let (numbers, texts) = try narrow.decode(([Int64], [String]).self)
            #expect(numbers == [1, 2])
            #expect(texts == ["x"])
        }
    }

    @Test func `a NULL parameter has a type, and NULL is read by optionals only`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let statement = Statement("SELECT $1, pg_typeof($1)::text, $2, pg_typeof($2)::text")
            let row = try await connection.query(statement, [nil as Int16?, nil as [String]?])[0]
            let values = try row.decode((Int16?, String, [String]?, String).self)
            #expect(values.0 == nil)
            #expect(values.1 == "smallint")
            #expect(values.2 == nil)
            #expect(values.3 == "text[]")
            let error = #expect(throws: PostgresError.self) { try row.decode(0, as: Int16.self) }
            #expect(error?.code == .decoding)
            #expect(try await connection.query(statement, [5 as Int16?, ["x"]])[0].decode(0, as: Int16?.self) == 5)
        }
    }

    // A value in an error message would reach the log, for example the digest of a key that is read with the wrong type.
    @Test func `a decoding error names the types and never the value`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let row =
                try await
                connection.query(
                    Statement(
                        "SELECT 'hunter2', 123456789, '{hunter2}'::text[], '{}'::text[], '{NULL}'::text[], '{{a}}'::text[]"
                    )
                )[0]
            let errors = [
                await failure { try row.decode(0, as: Int.self) }, await failure { try row.decode(0, as: UUID.self) },
                await failure { try row.decode(0, as: [String].self) },
                await failure { try row.decode(1, as: Int16.self) },
                await failure { try row.decode(1, as: [UInt8].self) },
                await failure { try row.decode(2, as: [Int64].self) },
                await failure { try row.decode(2, as: PostgresJSON.self) },
                await failure { try row.decode(3, as: String.self) },
                await failure { try row.decode(4, as: [String].self) },
                await failure { try row.decode(5, as: [String].self) },
                await failure { try row.decode(6, as: String.self) },
                await failure { try row.decode(-1, as: String.self) },
            ]
            for error in errors {
                #expect(error?.code == .decoding)
                let text = error.map { "\($0) \($0.serverMessage ?? "")" } ?? ""
                #expect(!text.contains("hunter2") && !text.contains("123456789"))
            }
        }
    }

    @Test func `a scalar is not read as an empty array`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let row = try await connection.query(Statement("SELECT '00000000-0000-0000-0000-000000000000'::uuid"))[0]
            #expect(throws: PostgresError.self) { try row.decode(0, as: [String].self) }
        }
    }

    @Test func `the server refuses text with a zero byte, and the connection stays usable`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let error = await failure { try await connection.query(Statement("SELECT $1"), ["a\0b"]) }
            #expect(error?.sqlState == .characterNotInRepertoire)
            #expect(try await connection.number("SELECT 1::int8") == 1)
        }
    }

    @Test func `a record keeps the types and values of its fields, also NULL and nested ones`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let id = UUID()
            let rows = try await connection.query(
                Statement("SELECT ROW($1, 7, NULL::text, ''::text, ROW(true, 'x'::text), '{a,b}'::text[]), ROW()"),
                [id]
            )
            let record = try rows[0].decode(0, as: PostgresRecord.self)
            #expect(record.count == 6)
            #expect(try record.decode(0, as: UUID.self) == id)
            #expect(try record.decode(1, as: Int.self) == 7)
            #expect(try record.decode(2, as: String?.self) == nil)
            #expect(try record.decode(3, as: String.self) == "")
            let nested = try record.decode(4, as: PostgresRecord.self)
            #expect(try nested.decode(0, as: Bool.self))
            #expect(try nested.decode(1, as: String.self) == "x")
            #expect(try record.decode(5, as: [String].self) == ["a", "b"])
            #expect(try rows[0].decode(1, as: PostgresRecord.self).count == 0)
        }
    }

    @Test func `a field that a record does not have, of another type or NULL is a decoding error`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let row = try await connection.query(Statement("SELECT ROW(7, NULL::int), 'hunter2'::text"))[0]
            let record = try row.decode(0, as: PostgresRecord.self)
            let errors = [
                await failure { try record.decode(2, as: Int.self) },
                await failure { try record.decode(-1, as: Int.self) },
                await failure { try record.decode(0, as: String.self) },
                await failure { try record.decode(1, as: Int.self) },
                await failure { try row.decode(1, as: PostgresRecord.self) },
            ]
            for error in errors {
                #expect(error?.code == .decoding)
                #expect(error.map { !"\($0)".contains("hunter2") } == true)
            }
        }
    }

    // The bytes of a record come from the server, but a driver must not read beyond them.
    @Test(arguments: [
        [], [0, 0, 0], [0, 0, 0, 2, 0, 0, 0, 23, 0, 0, 0, 4, 0, 0, 0, 7], [255, 255, 255, 255],
        [0, 0, 0, 1, 0, 0, 0, 23, 0, 0, 0, 5, 0, 0, 0, 7], [0, 0, 0, 1, 0, 0, 0, 23, 255, 255, 255, 254],
        [127, 255, 255, 255, 0, 0, 0, 23, 0, 0, 0, 0],
    ])
    func `a record whose lengths do not fit its bytes is refused`(bytes: [UInt8]) {
        #expect(throws: PostgresError.self) { try PostgresRecord.decode(bytes.span.bytes, type: 2249) }
    }

    /// A value that is compared by identity.
    private final class Decoded: Sendable {
        let text: String

        init(_ text: String) { self.text = text }
    }

    @Test func `rows are decoded once for all that have them`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let rows = try await connection.query(Statement("SELECT 'a'"))
            var count = 0
            func decode() throws(PostgresError) -> Decoded {
                count += 1
                return Decoded(try rows[0].decode(0))
            }
            let first = try rows.decodedOnce(decode)
            #expect(try rows.decodedOnce(decode) === first)
            #expect(first.text == "a")
            #expect(count == 1)
        }
    }

    @Test func `rows that cannot be decoded are an error for each caller`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let rows = try await connection.query(Statement("SELECT 'a'"))
            for _ in 0..<2 {
                #expect(throws: PostgresError.self) {
                    try rows.decodedOnce { () throws(PostgresError) in Decoded(try rows[0].decode(1)) }
                }
            }
        }
    }
}
