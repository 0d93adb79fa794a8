import Keys
import TestSupport
import Testing

@Suite struct SecretsFileTests {
    private static let a = String(repeating: "a1", count: 32)
    private static let b = String(repeating: "b2", count: 32)
    private static let c = String(repeating: "c3", count: 32)
    private static let d = String(repeating: "d4", count: 32)
    private static let e = String(repeating: "e5", count: 32)

    private func fault(_ text: String) -> SecretsFileFault? {
        do throws(SecretsFileFault) {
            _ = try SecretsFile(parsing: text)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a file is read in its order, with comments, blanks and Windows line ends`() throws {
        let text =
            "# a comment\r\n\r\n  pepper new \(Self.a)\r\n\tpepper\told  \(Self.b.uppercased())\n#x\n"
            + "idempotency i-1 \(Self.c)\nrole r1 \(Self.d)"
        let file = try SecretsFile(parsing: text)
        #expect(file.peppers.ids.map(\.text) == ["new", "old"])
        #expect(file.idempotency.map(\.id.text) == ["i-1"] && file.roles.map(\.id.text) == ["r1"])
        #expect(
            file.reveal()
                == "pepper new \(Self.a)\npepper old \(Self.b)\nidempotency i-1 \(Self.c)\nrole r1 \(Self.d)\n"
        )
        let id = try #require(SecretID("r1"))
        #expect(file.roles.map(\.id) == [id] && file.idempotencySecret(id) == nil)
    }

    @Test func `sessions are signed with their own secret, or with a key of the role secret if there is none`() throws {
        let base = "pepper p \(Self.a)\nidempotency i \(Self.b)\nrole r \(Self.c)\n"
        let old = try SecretsFile(parsing: base)
        #expect(old.sessions.map(\.id.text) == ["r"])
        #expect(old.reveal() == base)
        let new = try SecretsFile(parsing: base + "session s2 \(Self.d)\nsession s1 \(Self.e)\n")
        #expect(new.sessions.map(\.id.text) == ["s2", "s1"])
        #expect(try SecretsFile(parsing: new.reveal()).reveal() == new.reveal())
        let message = Array("message".utf8)
        let signatures = Set((old.sessions + new.sessions).map { $0.signature(of: message) })
        #expect(signatures.count == 3)
    }

    @Test func `a new file is read back as it was written`() throws {
        let id = try #require(SecretID("2026-01"))
        try forEachSeed(50) { seed, generator in
            let file = try #require(SecretsFile.random(id: id, using: &generator))
            #expect(try SecretsFile(parsing: file.reveal()).reveal() == file.reveal(), "seed \(seed)")
        }
    }

    @Test func `each fault names its line and never the secret`() throws {
        let good = "pepper p \(Self.a)\nidempotency i \(Self.b)\nrole r \(Self.c)\n"
        #expect(fault(good) == nil)
        let cases: [(String, Int?, SecretsFileFault.Reason)] = [
            (good + "pepper p2", 4, .notThreeWords),
            (good + "\n\npepper p2 \(Self.d) # comment", 6, .notThreeWords),
            (good + "salt p2 \(Self.d)", 4, .unknownKind),
            (good + "pepper P2 \(Self.d)", 4, .badID),
            (good + "pepper p2345678901234567 \(Self.d)", 4, .badID),
            (good + "pepper p2 \(Self.d.dropLast())", 4, .notHexadecimal),
            (good + "pepper p2 \(Self.d.dropLast())x", 4, .notHexadecimal),
            (good + "pepper p2 \(Self.d.dropLast(2))", 4, .tooShort),
            (good + "pepper p2 \(String(repeating: Self.d, count: 9))", 4, .tooLong),
            (good + "pepper p \(Self.d)", 4, .duplicateID),
            (good + "pepper p2 \(Self.a)", 4, .duplicateSecret),
            (good + "role r2 \(Self.a)", 4, .duplicateSecret),
            ("", nil, .missing(.pepper)),
            ("pepper p \(Self.a)\nrole r \(Self.c)", nil, .missing(.idempotency)),
            ("pepper p \(Self.a)\nidempotency i \(Self.b)", nil, .missing(.role)),
        ]
        for (text, line, reason) in cases {
            let found = self.fault(text)
            let fault = try #require(found)
            #expect(fault.line == line && fault.reason == reason)
            for text in ["\(fault)", String(reflecting: fault)] {
                for secret in ["a1a1", "b2b2", "c3c3", "d4d4"] { #expect(!text.contains(secret)) }
            }
        }
    }
}
