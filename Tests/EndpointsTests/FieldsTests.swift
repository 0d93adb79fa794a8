import Endpoints
import JSON
import Server
import Testing

@Suite struct FieldsTests {
    private let fields = Fields(["s": "x", "i": 7, "n": nil, "b": true, "a": ["p", "q"], "o": ["s": "y"], "d": 2])

    @Test func `members are read with the requested type`() throws {
        #expect(try fields.required("s") == "x")
        #expect(try fields.required("i", as: Int.self) == 7)
        #expect(try fields.required("d", as: Double.self) == 2)
        #expect(try fields.required("b") == true)
        #expect(try fields.required("a", as: [String].self) == ["p", "q"])
        #expect(try fields.required("o", as: Fields.self).required("s") == "y")
        #expect(try fields.optional("n", as: String.self) == nil)
        #expect(try fields.optional("absent", as: String.self) == nil)
        #expect(try fields.optional("i", as: Int64.self) == 7)
        #expect(fields.contains("n") && !fields.contains("absent"))
    }

    @Test func `a patch distinguishes absent, null and value`() throws {
        #expect(try fields.change("absent", as: String.self) == .keep)
        #expect(try fields.change("n", as: String.self) == .clear)
        #expect(try fields.change("s") == Change.set("x"))
        #expect(Change.keep.applied(to: 1) == 1)
        #expect(Change.clear.applied(to: 1) == nil)
        #expect(Change.set(2).applied(to: 1) == 2)
        #expect(Change.set(2).map { "\($0)" } == .set("2"))
    }

    @Test func `a read that the schema does not allow throws a mismatch`() {
        #expect(throws: FieldMismatch.self) { try fields.required("absent", as: String.self) }
        #expect(throws: FieldMismatch.self) { try fields.required("i", as: String.self) }
        #expect(throws: FieldMismatch.self) { try fields.optional("s", as: Int.self) }
        #expect(throws: FieldMismatch.self) { try fields.change("a", as: [Int].self) }
    }
}
