import FoundationEssentials
import MortiseClient

/// The examples in `SecretToken.swift`.
enum ClientSecretTokenExamples {
    static func example1() {
        let token = SecretToken("mka_live_…")
        print(token)  // (secret)
    }

    static func example2() {
        let line = readLine() ?? ""
        let token = SecretToken(line)
        print("\(token)")
    }

    static func example3() throws {
        let token = SecretToken("mks_live_…")
        try token.reveal().write(toFile: "ci.key", atomically: true, encoding: .utf8)
    }
}
