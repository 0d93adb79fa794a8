import JSON
import Testing

@Suite struct JSONPointerTests {
    @Test func `a pointer has the text that RFC 6901 demands`() {
        #expect(JSONPointer().description == "")
        #expect(JSONPointer().member("scopes").element(0).description == "/scopes/0")
        #expect(JSONPointer([.member("a/b"), .member("m~n"), .member("")]).description == "/a~1b/m~0n/")
    }
}
