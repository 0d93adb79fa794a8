import Endpoints
import JSON
import Server
import Testing

@Suite struct QuerySchemaTests {
    private static let schema = QuerySchema.page([
        QueryParameter("query", .string(max: 10), "Text."),
        QueryParameter("on", .boolean, "Switch."),
        QueryParameter("ratio", .number(0...1), "Number."),
        QueryParameter("status", .oneOf("active", "revoked"), "Filter.", repeated: true),
    ])

    @Test(
        arguments: [
            (nil, ["limit": 50]), ("", ["limit": 50]), ("&&", ["limit": 50]),
            ("limit=100&cursor=a%2Bb", ["limit": 100, "cursor": "a+b"]),
            ("query=a+b%20c", ["query": "a b c", "limit": 50]), ("query", ["query": "", "limit": 50]),
            ("query=a=b", ["query": "a=b", "limit": 50]), ("%71uery=%C3%A9", ["query": "é", "limit": 50]),
            ("on=true&ratio=0.5", ["on": true, "ratio": .number(JSONNumber(0.5) ?? JSONNumber(0)), "limit": 50]),
            ("status=active&status=revoked", ["status": ["active", "revoked"], "limit": 50]),
            ("status=active", ["status": ["active"], "limit": 50]),
        ] as [(String?, JSONObject)]
    )
    func `valid queries are read`(text: String?, object: JSONObject) {
        let (fields, faults) = Self.schema.parse(text)
        #expect(faults == [])
        #expect(fields.object == object)
    }

    @Test(arguments: [
        ("limit=0", "limit", "must lie between 1 and 100"), ("limit=101", "limit", "must lie between 1 and 100"),
        ("limit=", "limit", "must be an integer"), ("limit=+5", "limit", "must be an integer"),
        ("limit=%2B5", "limit", "must be an integer"), ("limit=007", "limit", "must be an integer"),
        ("limit=5.0", "limit", "must be an integer"), ("limit=99999999999999999999", "limit", "must be an integer"),
        ("limit=5&limit=5", "limit", "must not be repeated"),
        ("Limit=5", "Limit", "is not a parameter of this operation"),
        ("on=1", "on", "must be true or false"),
        ("ratio=.5", "ratio", "must be a number in the range of double precision"),
        ("query=%00", "query", "must not contain the character U+0000"),
        ("query=%", "query", "must be percent-encoded UTF-8"),
        ("query=%4", "query", "must be percent-encoded UTF-8"), ("query=%zz", "query", "must be percent-encoded UTF-8"),
        ("query=%FF", "query", "must be percent-encoded UTF-8"),
        ("query=%C0%AF", "query", "must be percent-encoded UTF-8"),
        ("%FF=1", "", "the query must be percent-encoded UTF-8"),
        ("status=active&status=x", "status", #"must be one of "active", "revoked""#),
    ])
    func `each fault is named with its parameter`(text: String, name: String, detail: String) {
        #expect(Self.schema.parse(text).faults == [Fault(.query(name), detail)])
    }

    @Test func `a missing required parameter is a fault`() {
        let schema = QuerySchema([QueryParameter("a", .string(max: 1), "A.", required: true)])
        #expect(schema.parse(nil).faults == [Fault(.query("a"), "is required")])
    }

    @Test func `a schema that ignores parameters does not read them`() {
        #expect(QuerySchema.ignored.parse("x=1&x=%FF").faults == [])
        #expect(QuerySchema.none.parse("x=1").faults.count == 1)
    }
}
