import FoundationEssentials
import Keys
import TestSupport
import Testing

/// The rules for scanners in `examples/leaks`.
@Suite struct LeakScannerTests {
    // The fault: a scanner finds the token of somebody else, or overlooks ours.
    @Test func `the rules for scanners find tokens of every built-in kind, and nothing shorter or longer`() throws {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        var generator = SystemRandomNumberGenerator()
        let ref = WorkspaceRef.random(using: &generator)
        for name in ["gitleaks.toml", "trufflehog.yml", "kingfisher.yml"] {
            let text = try #require(TemporaryFolder.text("\(root)/examples/leaks/\(name)"), "\(name)")
            let found = try #require(text.firstMatch(of: /'(\\b\(.+?\)\\b)'/), "\(name)")
            let rule = try Regex(String(found.1))
            for prefix in [TokenPrefix.service, .publishable, .client, .admin, .operator, .apiKey] {
                for mode in KeyMode.allCases {
                    let token = Token.make(prefix: prefix, mode: mode, workspace: ref, using: &generator).reveal()
                    #expect(" key=\(token);".contains(rule), "\(name): \(prefix)")
                    for other in ["\(token)x", String(token.dropLast()), "x\(token)"] {
                        #expect(!other.contains(rule), "\(name): \(other)")
                    }
                }
            }
            #expect(!("sk_live_" + String(repeating: "a", count: 46)).contains(rule), "\(name)")
        }
    }
}
