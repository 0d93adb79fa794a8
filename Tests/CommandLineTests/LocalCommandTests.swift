import Glibc
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

    // A mounted secret is often a link, whose own mode is 0777.
    @Test func `doctor examines the permissions of the secrets file that a link leads to`() async throws {
        try await TemporaryFolder.with { folder in
            let (path, link) = ("\(folder)/secrets", "\(folder)/link")
            #expect(try await Program.run(["secrets", "new", path]).code == 0)
            try #require(symlink(path, link) == 0)
            let variables = ["MORTISE_DATA": "\(folder)/data", "MORTISE_PEPPER_FILE": link]
            let safe = try await Program.run(["doctor"], environment: variables)
            #expect(safe.output.contains("The secrets file \(link) can be used."), "\(safe.everything)")
            #expect(!safe.output.contains("Other users can read"))
            try #require(chmod(path, 0o644) == 0)
            let open = try await Program.run(["doctor"], environment: variables)
            #expect(open.output.contains("Other users can read the secrets file \(link)."), "\(open.everything)")
        }
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

    // The accident: - means a standard stream elsewhere, and the only token of a key is in a file of that name.
    @Test(arguments: [
        ["key", "generate", "--kind", "admin"], ["key", "recover"], ["key", "create", "CI", "--workspace", "shop"],
    ])
    func `a token is never written to a file named -`(_ command: [String]) async throws {
        let outcome = try await Program.run(command + ["--token-out", "-"])
        #expect(outcome.code == 64 && outcome.output.isEmpty, "\(outcome.everything)")
        #expect(outcome.errors.contains("--token-out takes the path of a new file."), "\(outcome.everything)")
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
            // The accident: somebody follows the advice to remove the only copy of an installation's secrets.
            let again = try await Program.run(["secrets", "new", "\(folder)/s"])
            #expect(again.code == 64 && again.errors.contains("Name another file."), "\(again.everything)")
            #expect(!again.errors.contains("remove"), "\(again.errors)")
            #expect(TemporaryFolder.text("\(folder)/s") == text)
            #expect(try await Program.run(["secrets", "new", "\(folder)/t", "--id", "A"]).code == 64)
        }
    }

    @Test func `--version prints a semantic version`() async throws {
        let outcome = try await Program.run(["--version"])
        #expect(outcome.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }
}
