import MortiseClient
import Testing

@Suite struct ServerURLTests {
    @Test(arguments: [
        ("https://keys.example.com", "https://keys.example.com", true, false),
        ("https://keys.example.com/mortise//", "https://keys.example.com/mortise", true, false),
        ("http://keys.example.com:8080", "http://keys.example.com:8080", false, false),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080", false, true),
        ("http://LOCALHOST", "http://LOCALHOST", false, true), ("https://[::1]:8443", "https://[::1]:8443", true, true),
        ("http://127.example.com", "http://127.example.com", false, false),
        ("http+unix://%2Frun%2Fmortise.sock", "http+unix://%2Frun%2Fmortise.sock", false, true),
    ])
    func `a URL of a server is accepted`(_ text: String, _ kept: String, _ isEncrypted: Bool, _ isLocal: Bool) throws {
        let url = try ServerURL(text)
        #expect(url.text == kept)
        #expect(url.isEncrypted == isEncrypted)
        #expect(url.isLocal == isLocal)
    }

    @Test(arguments: [
        ("", ServerURL.Fault.notAServer), ("keys.example.com", .notAServer), ("ftp://keys.example.com", .notAServer),
        ("https://", .notAServer), ("https://name:password@keys.example.com", .credentialsInside),
        ("http://127.0.0.1:65536", .notAServer), ("https://[::1]:99999999999999999999/", .notAServer),
        ("http://127.0.0.1:0", .notAServer), ("https://keys.example.com?a=b", .queryOrFragment),
        ("https://keys.example.com/#a", .queryOrFragment),
    ])
    func `a text that is not the URL of a server is refused`(_ text: String, _ fault: ServerURL.Fault) {
        #expect(throws: fault) { try ServerURL(text) }
    }
}
