import Connections
import Glibc
import Keys
import Server
import Surfaces
import TestSupport
import Testing
import mortise

/// A settings file is read completely, or refused with its name and line.
@Suite(.hangLimit) struct SettingsFileTests {
    private func read(_ text: String) throws(CommandFailure) -> SettingsFile {
        try SettingsFile(parsing: Array(text.utf8), path: "/etc/m.yaml")
    }

    private func serve(_ text: String) throws(CommandFailure) -> ServeSettings {
        try ServeSettings(SettingReader(flags: [], environment: [:], file: read(text)), isTerminal: false)
    }

    /// Expects a refusal that names the file, and the line if there is one.
    private func expectRefusal(_ text: String, line: Int?, _ part: String) throws {
        let failure = try #require(throws: CommandFailure.self) { try read(text) }
        #expect(failure.kind == .usage)
        #expect(failure.message.hasPrefix(line.map { "/etc/m.yaml, line \($0): " } ?? "/etc/m.yaml: "), "\(failure)")
        #expect(failure.message.contains(part), "\(failure)")
        #expect(!failure.details.isEmpty)
    }

    @Test func `comments, quotes, lists and JSON are read`() throws {
        let text = """
            # The server behind the load balancer.
            listen: "[::1]:9000"   # quoted, because of the brackets
            trusted_proxies:
              - 10.0.0.0/8
              - 2001:db8::7
            threads: 2

            """
        let settings = try serve(text)
        #expect(settings.listen == .tcp(host: "::1", port: 9000))
        #expect(
            try settings.clients
                == ClientAddresses(trusting: [AddressRange("10.0.0.0/8"), AddressRange("2001:db8::7")])
        )
        #expect(settings.connections.threads == 2)
        let json = try serve(#"{"listen": "127.0.0.1:9000", "trusted_proxies": ["10.0.0.0/8"], "threads": 2}"#)
        #expect(json.listen == .tcp(host: "127.0.0.1", port: 9000) && json.connections.threads == 2)
    }

    // In YAML 1.1, off and no are Boolean values, and 0x10 is a number.
    @Test func `a value is used as the text in the file`() throws {
        #expect(try serve("access_log: off").log.access == .off)
        #expect(try serve("data: no").installation.dataFolder == "no")
        #expect(throws: CommandFailure.self) { try serve("threads: 0x10") }
    }

    @Test(arguments: ["", "\n", "# nothing\n", "---\n", "{}", "---\n...\n"])
    func `a file without members has no settings`(_ text: String) throws {
        #expect(try serve(text).installation.warnings == [])
    }

    @Test func `a file that is not a mapping is refused`() throws {
        try expectRefusal("- listen\n- threads", line: 1, "list")
        try expectRefusal("listen", line: 1, "text")
        try expectRefusal("# c\n\"listen=127.0.0.1:80\"", line: 2, "text")
    }

    @Test func `a member that appears twice is refused`() throws {
        try expectRefusal("data: /d\nthreads: 1\nlisten: 127.0.0.1:1\n\"threads\": 2", line: 2, "threads")
    }

    @Test func `a value with another structure is refused with its line`() throws {
        try expectRefusal("data: /d\nthreads: [1, 2]", line: 2, "threads is a list")
        try expectRefusal("data: /d\n\nlisten:\n  host: 127.0.0.1", line: 3, "listen is a mapping")
        try expectRefusal("trusted_proxies: [[10.0.0.0/8]]", line: 1, "trusted_proxies is a list")
        try expectRefusal("admin_key_file: [a]", line: 1, "the path of a file")
        try expectRefusal("data: /d\n? [threads]\n: 1", line: 2, "name")
    }

    @Test func `text that is not YAML is refused with its line`() throws {
        try expectRefusal("data: /d\nlisten: \"127.0.0.1:1", line: 2, "not YAML")
        try expectRefusal("data: /d\n\tthreads: 1", line: 2, "not YAML")
        try expectRefusal("data: /d\n---\ndata: /e", line: 2, "not YAML")
        try expectRefusal("data: /d\nthreads: \u{1}", line: 2, "not YAML")
        try expectRefusal("threads: " + String(repeating: "[", count: 5000), line: 1, "not YAML")
        let failure = try #require(throws: CommandFailure.self) {
            try SettingsFile(parsing: [0x64, 0x3A, 0x20, 0xFF], path: "/etc/m.yaml")
        }
        #expect(failure.message == "/etc/m.yaml: the text is not UTF-8.")
    }

    @Test func `a named settings file must be readable`() async throws {
        try await TemporaryFolder.with { folder in
            TemporaryFolder.write(String(repeating: "# long\n", count: 10_000), to: "\(folder)/long")
            for path in ["\(folder)/none", folder, "\(folder)/long", "\(folder)/none/none"] {
                for (arguments, variables) in [
                    (["migrate", "--settings", path], [:]), (["migrate"], ["MORTISE_SETTINGS": path]),
                    (["doctor", "--settings", path], [:]), (["cluster", "list", "--settings", path], [:]),
                ] {
                    let outcome = try await Program.run(arguments, environment: variables)
                    #expect(outcome.code == 64, "\(arguments)")
                    #expect(
                        outcome.errors.contains("The settings file \(path) cannot be read"),
                        "\(outcome.everything)"
                    )
                }
            }
        }
    }

    @Test(.enabled("root reads every file", { geteuid() != 0 }))
    func `an unreadable file at the standard path is refused`() async throws {
        try await TemporaryFolder.with { folder in
            let path = "\(folder)/m.yaml"
            TemporaryFolder.write("data: /d", to: path)
            try #require(chmod(path, 0) == 0)
            #expect(throws: CommandFailure.self) { try load(standard: path) }
        }
    }

    private func load(_ environment: [String: String] = [:], standard: String) throws -> InstallationSettings {
        try InstallationSettings(SettingReader.load(flags: [], environment: environment, standardFile: standard))
    }

    @Test func `the file at the standard path is read if it exists and no other file is named`() async throws {
        try await TemporaryFolder.with { folder in
            let (standard, other) = ("\(folder)/m.yaml", "\(folder)/other.yaml")
            #expect(try load(standard: standard).settingsFile == nil)
            #expect(try load(standard: "\(standard)/none").settingsFile == nil)
            TemporaryFolder.write("data: /standard", to: standard)
            TemporaryFolder.write("data: /other", to: other)
            #expect(try load(standard: standard).dataFolder == "/standard")
            let named = try load(["MORTISE_SETTINGS": other], standard: standard)
            #expect(named.dataFolder == "/other" && named.settingsFile == other)
            let flag = SettingFlag(Settings.settingsFile.declaration, other)
            let flagged = try SettingReader.load(
                flags: [flag],
                environment: ["MORTISE_SETTINGS": standard],
                standardFile: standard
            )
            #expect(flagged.file?.path == other)
            #expect(SettingsFile.standardPath == "/etc/mortise/mortise.yaml")
        }
    }

    @Test func `the doctor names the settings file that was read`() async throws {
        try await TemporaryFolder.with { folder in
            let path = "\(folder)/m.yaml"
            TemporaryFolder.write("data: \(folder)/data", to: path)
            let outcome = try await Program.run(["doctor", "--settings", path])
            #expect(outcome.code == 0)
            #expect(outcome.output.contains("ok       The settings file \(path) was read."))
            #expect(outcome.output.contains("\(folder)/data"))
        }
    }
}
