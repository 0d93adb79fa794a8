import Keys
import TestSupport
import Testing

@Suite(.hangLimit) struct LocalCommandTests {
    @Test(arguments: [KeyKind.operator, .admin])
    func `a generated key is accepted by the settings`(_ kind: KeyKind) async throws {
        let one = try await Program.run(["key", "generate", "--kind", kind.rawValue])
        let other = try await Program.run(["key", "generate", "--kind", kind.rawValue])
        #expect(one.code == 0)
        let token = try Token(String(one.output.dropLast()))
        #expect(token.parsed.prefix == kind.defaultPrefix)
        #expect(token.parsed.workspaceRef == .root)
        #expect(one.output != other.output)
    }

    @Test func `only the owner can read the file of a generated key, which is never overwritten`() async throws {
        try await TemporaryFolder.with { folder in
            let make = ["key", "generate", "--kind", "admin", "--token-out", "\(folder)/f"]
            let outcome = try await Program.run(make)
            #expect(outcome.code == 0 && outcome.everything.isEmpty)
            #expect(TemporaryFolder.mode("\(folder)/f") == 0o600)
            let before = TemporaryFolder.text("\(folder)/f")
            #expect(try await Program.run(make).code == 64)
            #expect(TemporaryFolder.text("\(folder)/f") == before)
        }
    }

    @Test func `a new secrets file is valid, readable by its owner alone, and never overwritten`() async throws {
        try await TemporaryFolder.with { folder in
            let outcome = try await Program.run(["secrets", "new", "\(folder)/s", "--id", "p1"])
            #expect(outcome.code == 0)
            let text = try #require(TemporaryFolder.text("\(folder)/s"))
            #expect(try SecretsFile(parsing: text).peppers.all.map(\.id.text) == ["p1"])
            #expect(TemporaryFolder.mode("\(folder)/s") == 0o600)
            for word in text.split(whereSeparator: \.isWhitespace) where word.count == 64 {
                #expect(!outcome.everything.contains(word))
            }
            #expect(try await Program.run(["secrets", "new", "\(folder)/s"]).code == 64)
            #expect(TemporaryFolder.text("\(folder)/s") == text)
            #expect(try await Program.run(["secrets", "new", "\(folder)/t", "--id", "A"]).code == 64)
        }
    }

    @Test func `--version prints a semantic version`() async throws {
        let outcome = try await Program.run(["--version"])
        #expect(outcome.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }
}
