import Keys
import TestSupport
import Testing
import mortise

/// Secret settings come from variables, members and files, and are never printed.
@Suite(.hangLimit) struct SecretSettingTests {
    private func reader(_ environment: [String: String], file: String = "") throws(CommandFailure) -> SettingReader {
        SettingReader(
            flags: [],
            environment: environment,
            file: try SettingsFile(parsing: Array(file.utf8), path: "/etc/m.yaml")
        )
    }

    private func serve(_ environment: [String: String], file: String = "") throws(CommandFailure) -> ServeSettings {
        try ServeSettings(reader(environment, file: file), isTerminal: false)
    }

    // The attack: somebody reads a mistyped key or URL in an error message, which every restart repeats in the log.
    @Test(arguments: [
        ("MORTISE_OPERATOR_KEY", "mko_live_hunter2"), ("MORTISE_ADMIN_KEY", SettingsTests.operatorKey.reveal()),
        ("MORTISE_OPERATOR_KEY", SettingsTests.adminKey.reveal()), ("MORTISE_DATABASE_URL", "mysql://u:hunter2@x"),
        ("MORTISE_ADMIN_PASSWORD", "hunter2"), ("MORTISE_DATABASE_URL", "host=h pasword=hunter2"),
    ])
    func `an error about a malformed secret contains no part of it`(_ name: String, _ value: String) throws {
        let failure = try #require(throws: CommandFailure.self) { try serve([name: value]) }
        #expect(failure.text.contains(name))
        #expect(!failure.text.contains(value) && !failure.text.contains("hunter2"))
        let member = name.dropFirst("MORTISE_".count).lowercased()
        let inFile = try #require(throws: CommandFailure.self) { try serve([:], file: "\(member): \"\(value)\"") }
        #expect(inFile.text.contains(member))
        #expect(!inFile.text.contains(value) && !inFile.text.contains("hunter2"))
    }

    // The attack: somebody reads a secret in the error about a line that is not YAML or has another structure.
    @Test(arguments: [
        "admin_password: \"hunter2", "admin_password: hunter2\n  hunter2: hunter2", "admin_password: [hunter2]",
        "admin_password: {hunter2: hunter2}", "admin_password: hunter2\nadmin_password: hunter2",
        "admin_password: *hunter2", "admin_password: 'hunter2' hunter2", "- hunter2", "hunter2",
    ])
    func `an error about a malformed settings file contains no part of a secret`(_ text: String) throws {
        let failure = try #require(throws: CommandFailure.self) { try serve([:], file: text) }
        #expect(failure.kind == .usage)
        #expect(failure.message.contains("/etc/m.yaml"))
        #expect(!failure.text.contains("hunter2"))
    }

    @Test func `settings and their reader can be printed without their secrets`() throws {
        let environment = [
            "MORTISE_DATABASE_URL": "postgresql://u:hunter2@db/x", "MORTISE_ADMIN_KEY": SettingsTests.adminKey.reveal(),
        ]
        let file = "admin_password: hunter2hunter2\nadmin_email: ada@example.org"
        let reader = try reader(environment, file: file)
        let settings = try ServeSettings(reader, isTerminal: false)
        let settingsFile = try #require(reader.file)
        var dumped = ""
        dump(settings, to: &dumped)
        dump(reader, to: &dumped)
        dump(settingsFile, to: &dumped)
        let texts = [
            "\(settings)", String(reflecting: settings), "\(reader)", String(reflecting: reader), "\(settingsFile)",
            dumped,
        ]
        for text in texts {
            #expect(!text.contains("hunter2") && !text.contains(SettingsTests.adminKey.reveal()))
        }
    }

    // swift-configuration writes every look-up into this file if the variable is set.
    @Test func `the log of look-ups names sources and contains no secret`() async throws {
        try await TemporaryFolder.with { folder in
            TemporaryFolder.write(
                "admin_password: hunter2hunter2\nadmin_email: ada@example.org\nthreads: 0",
                to: "\(folder)/m.yaml"
            )
            TemporaryFolder.write("mko_live_hunter2", to: "\(folder)/operator.key")
            let outcome = try await Program.run(
                ["serve", "--settings", "\(folder)/m.yaml", "--listen", "127.0.0.1:0"],
                environment: [
                    "CONFIG_ACCESS_LOG_FILE": "\(folder)/look-ups", "MORTISE_LOG_LEVEL": "debug",
                    "MORTISE_DATABASE_URL": "postgresql://u:hunter2@db/x",
                ]
            )
            #expect(outcome.code == 64)
            let log = try #require(TemporaryFolder.text("\(folder)/look-ups"))
            for line in [
                "mortise.listen -> \"127.0.0.1:0\" - provided by InMemoryProvider[flags]",
                "mortise.log_level -> \"debug\" - provided by EnvironmentVariablesProvider",
                "mortise.threads -> \"0\" - provided by InMemoryProvider[settings file]",
                "mortise.database_url -> \"<REDACTED>\"", "mortise.admin_password -> \"<REDACTED>\"",
            ] {
                #expect(log.contains(line), "\(line)")
            }
            #expect(!log.contains("hunter2"))
        }
    }

    @Test func `a secret can be in a file that a flag, a variable or a member names`() async throws {
        let key = SettingsTests.adminKey
        try await TemporaryFolder.with { folder in
            let path = "\(folder)/admin.key"
            TemporaryFolder.write("\(key.reveal())\n", to: path)
            let byVariable = try serve(["MORTISE_ADMIN_KEY_FILE": path])
            #expect(byVariable.adminKey == key && byVariable.installation.warnings == [])
            let byMember = try serve([:], file: "admin_key_file: \(path)")
            #expect(byMember.adminKey == key && byMember.installation.warnings == [])
            let flag = SettingFlag(Settings.adminKey.declaration, path)
            let reader = SettingReader(flags: [flag], environment: [:], file: nil)
            #expect(try ServeSettings(reader, isTerminal: false).adminKey == key)
        }
    }

    @Test func `the file of a secret and the secret itself follow the precedence of their sources`() async throws {
        try await TemporaryFolder.with { folder in
            let path = "\(folder)/key"
            let (first, second) = (SettingsTests.make(.admin), SettingsTests.make(.admin))
            TemporaryFolder.write(first.reveal(), to: path)
            let inline = second.reveal()
            #expect(try serve(["MORTISE_ADMIN_KEY_FILE": path], file: "admin_key: \(inline)").adminKey == first)
            #expect(try serve(["MORTISE_ADMIN_KEY": inline], file: "admin_key_file: \(path)").adminKey == second)
            let flag = SettingFlag(Settings.adminKey.declaration, path)
            let reader = SettingReader(flags: [flag], environment: ["MORTISE_ADMIN_KEY": inline], file: nil)
            #expect(try ServeSettings(reader, isTerminal: false).adminKey == first)
            let both = try #require(throws: CommandFailure.self) {
                try serve(["MORTISE_ADMIN_KEY": inline, "MORTISE_ADMIN_KEY_FILE": path])
            }
            #expect(both.kind == .usage && both.message.contains("MORTISE_ADMIN_KEY and MORTISE_ADMIN_KEY_FILE"))
            #expect(throws: CommandFailure.self) {
                try serve([:], file: "admin_key: \(inline)\nadmin_key_file: \(path)")
            }
        }
    }

    @Test func `a secret's flag names a file, and a wrong file is named`() async throws {
        try await TemporaryFolder.with { folder in
            TemporaryFolder.write("mko_live_hunter2\n", to: "\(folder)/f")
            let wrong = try await Program.run(["serve", "--operator-key-file", "\(folder)/f"])
            #expect(wrong.code == 64)
            #expect(wrong.errors.contains("--operator-key-file") && !wrong.errors.contains("hunter2"))
            let missing = try await Program.run(["serve", "--database-url-file", "\(folder)/none"])
            #expect(missing.code == 64)
            #expect(missing.errors.contains("\(folder)/none"))
            TemporaryFolder.write("", to: "\(folder)/empty")
            let empty = try #require(throws: CommandFailure.self) {
                try serve([:], file: "admin_key_file: \(folder)/empty")
            }
            #expect(empty.message.contains("admin_key_file (/etc/m.yaml, line 1)"))
            TemporaryFolder.write("postgresql://u:hunter2@db/x", to: "\(folder)/url")
            let both = try await Program.run([
                "migrate", "--database-url-file", "\(folder)/url", "--postgres-bin", "/b",
            ])
            #expect(both.code == 64)
            #expect(both.errors.contains("--postgres-bin") && !both.errors.contains("hunter2"))
        }
    }
}
