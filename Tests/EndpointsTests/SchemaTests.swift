import Endpoints
import JSON
import Server
import Testing

@Suite struct SchemaTests {
    private static let key = Schema.object([
        .required("name", .string(min: 1, max: 5)),
        .optional("kind", .oneOf("live", "test")),
        .optional("limit", .integer(1...100).orNull),
        .optional("ratio", .number(0...1)),
        .optional("on", .boolean),
        .optional("id", .string(.uuid)),
        .optional("ends", .string(.dateTime).orNull),
        .optional("scopes", .array(of: .string(min: 1, max: 8), max: 2)),
        .optional("metadata", .anyObject(maximumBytes: 40)),
        .optional("inner", .object([.optional("x", .boolean)], unknown: .ignored)),
        .optional(
            "even",
            .integer(0...10).checked { $0.number?.int64.map { $0 % 2 == 1 } == true ? "must be even" : nil }
        ),
    ])

    private func faults(_ text: String) throws -> [String] {
        Self.key.validate(try JSONValue(parsing: text.utf8))
            .map { fault in
                guard case .body(let pointer) = fault.location else { return "elsewhere" }
                return "\(pointer) \(fault.detail)"
            }
    }

    @Test(arguments: [
        #"{"name":"a"}"#, #"{"name":"éé😀éé"}"#, #"{"name":"a","kind":"live","limit":null,"ratio":1,"on":false}"#,
        #"{"name":"a","limit":1e1,"id":"018F0000-0000-7000-8000-00000000000a","ends":"2030-01-31T12:00:00+01:00"}"#,
        #"{"name":"a","scopes":["x","y"],"metadata":{"a":[1,{"b":null}]},"inner":{"y":1},"even":2}"#,
    ])
    func `valid values are accepted`(text: String) throws {
        #expect(try faults(text) == [])
    }

    @Test(arguments: [
        ("[]", " must be an object"), ("{}", "/name is required"), (#"{"name":null}"#, "/name must be a string"),
        (#"{"name":""}"#, "/name must have 1 to 5 characters"),
        (#"{"name":"abcdef"}"#, "/name must have 1 to 5 characters"),
        (#"{"name":"a\u0000"}"#, "/name must not contain the character U+0000"),
        (#"{"name":"a","\u212aind":"live"}"#, "/\u{212A}ind is not a member of this object"),
        (#"{"name":"a","a/b~":1}"#, "/a~1b~0 is not a member of this object"),
        (#"{"name":"a","kind":"Live"}"#, #"/kind must be one of "live", "test""#),
        (#"{"name":"a","limit":"5"}"#, "/limit must be an integer"),
        (#"{"name":"a","limit":1.5}"#, "/limit must be an integer"),
        (#"{"name":"a","limit":101}"#, "/limit must lie between 1 and 100"),
        (#"{"name":"a","limit":1e99}"#, "/limit must be an integer"),
        (#"{"name":"a","ratio":1.01}"#, "/ratio must lie between 0 and 1"),
        (#"{"name":"a","ratio":1e999}"#, "/ratio must be a number in the range of double precision"),
        (#"{"name":"a","on":0}"#, "/on must be true or false"),
        (#"{"name":"a","on":null}"#, "/on must be true or false"),
        (#"{"name":"a","id":"x"}"#, "/id must be a UUID"),
        (#"{"name":"a","scopes":["a",1]}"#, "/scopes/1 must be a string"),
        (#"{"name":"a","scopes":["a","b","c"]}"#, "/scopes must have 0 to 2 elements"),
        (#"{"name":"a","metadata":[]}"#, "/metadata must be an object"),
        (
            #"{"name":"a","metadata":{"k":"0123456789012345678901234567890123456789"}}"#,
            "/metadata must have at most 40 bytes as compact JSON"
        ),
        (#"{"name":"a","metadata":{"k":["\u0000"]}}"#, "/metadata/k/0 must not contain the character U+0000"),
        (#"{"name":"a","metadata":{"\u0000":1}}"#, "/metadata/\u{0} must not have U+0000 in its name"),
        (
            #"{"name":"a","metadata":{"k":1e400}}"#,
            "/metadata/k must be a number of at most 64 digits when written without an exponent"
        ),
        (#"{"name":"a","even":3}"#, "/even must be even"),
        (#"{"name":"a","even":11}"#, "/even must lie between 0 and 10"),
    ])
    func `each fault has its location`(text: String, fault: String) throws {
        #expect(try faults(text) == [fault])
    }

    @Test func `all faults are listed at once`() throws {
        let found = try faults(#"{"kind":1,"on":2,"scopes":[1,"",""],"zz":0,"inner":{"x":0}}"#)
        #expect(
            found == [
                "/kind must be a string", "/on must be true or false", "/scopes must have 0 to 2 elements",
                "/zz is not a member of this object", "/inner/x must be true or false", "/name is required",
            ]
        )
    }

    // A body of 64 KiB can have ten thousand unknown members. A sentence and a pointer for each would let a client make
    // the server send megabytes.
    @Test func `a value that is only documented has no fault`() throws {
        let schema = Schema.array(of: Self.key.documentedOnly, count: 1...3)
        #expect(schema.validate(try JSONValue(parsing: #"[1,{"name":"a\u0000"},null]"#.utf8)).isEmpty)
        #expect(schema.validate([]).count == 1)
    }

    @Test func `the number of reported faults is bounded`() throws {
        let members = (0..<6000).map { "\"\($0)\":0" }.joined(separator: ",")
        #expect(try faults("{\(members)}").count == 100)
    }

    // A token can be in a wrong member, and the sender may log the answer.
    @Test func `no fault contains a value of the input`() throws {
        let secret = "mks_live_secret"
        for name in ["name", "kind", "limit", "ratio", "on", "id", "ends", "scopes", "metadata", "inner", "even"] {
            let value: JSONValue = .object([name: .array([.string(secret), .object(["a": .string(secret)])])])
            for fault in Self.key.validate(value) { #expect(!fault.detail.contains(secret)) }
            for fault in Self.key.validate(.object([name: .string(secret)])) { #expect(!fault.detail.contains(secret)) }
        }
    }

    @Test(
        arguments: [
            (TextFormat.slug, "a", true), (.slug, "a-b-9", true), (.slug, "-a", false), (.slug, "a-", false),
            (.slug, "a--b", false), (.slug, "A", false), (.slug, "", false), (.slug, "a\n", false),
            (.uuid, "018f0000-0000-7000-8000-000000000000", true),
            (.uuid, "018f0000-0000-7000-8000-00000000000g", false),
            (.uuid, "018f000000007000800000000000000000000", false),
            (.uuid, "018f0000-0000-7000-8000-0000000000\u{E9}", false),
            (.email, "a@example.org", true), (.email, "a@b@c", false), (.email, "@b", false), (.email, "a@", false),
            (.email, "a b@c", false), (.email, "a@b\n", false), (.email, "a@.b", false), (.email, "a@b..c", false),
        ] as [(TextFormat, String, Bool)]
    )
    func `formats accept and refuse`(format: TextFormat, text: String, isAccepted: Bool) {
        #expect(format.matches(text) == isAccepted)
    }
}
