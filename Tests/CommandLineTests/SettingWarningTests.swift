import Glibc
import Keys
import TestSupport
import Testing
import mortise

/// Unknown names and unsafe permissions are reported and do not stop a command.
@Suite(.hangLimit) struct SettingWarningTests {
    private func warnings(_ environment: [String: String] = [:], file: String = "") throws -> [SettingWarning] {
        let file = try SettingsFile(parsing: Array(file.utf8), path: "/etc/m.yaml")
        return SettingReader(flags: [], environment: environment, file: file).warnings
    }

    @Test(
        arguments: [
            ("MORTISE_LISTNE", "MORTISE_LISTEN"), ("MORTISE_DATABASE_URI", "MORTISE_DATABASE_URL"),
            ("MORTISE_ADMINKEY", "MORTISE_ADMIN_KEY"), ("MORTISE_ADMIN_KEY_FIL", "MORTISE_ADMIN_KEY_FILE"),
            ("MORTISE_SETTING", "MORTISE_SETTINGS"), ("MORTISE_PORT", nil), ("MORTISE_", nil),
            ("MORTISE_LETS_ENCRYPT", nil),
        ] as [(String, String?)]
    )
    func `an unknown variable is reported with a similar known name`(
        _ name: String,
        _ suggestion: String?
    ) throws {
        let warnings = try warnings([name: "8080", "HOME": "/", "MORTISE_LISTEN": "127.0.0.1:1"])
        #expect(warnings == [.unknownVariable(name, suggestion: suggestion)])
        #expect(warnings.first?.sentence.contains(name) == true)
        if let suggestion { #expect(warnings.first?.remedy == "Did you mean \(suggestion)?") }
    }

    @Test(
        arguments: [
            ("log-level", "log_level"), ("logLevel", "log_level"), ("MORTISE_LOG_LEVEL", "log_level"),
            ("Listen", "listen"), ("lisen", "listen"), ("trusted_proxy", "trusted_proxies"), ("settings", nil),
            ("port", nil),
            ("thread", "threads"), ("admin_key_file_", "admin_key_file"),
        ] as [(String, String?)]
    )
    func `an unknown member is reported with its line and a similar known name`(
        _ name: String,
        _ suggestion: String?
    ) throws {
        let warnings = try warnings(file: "data: /d\n\(name):\n  any: value")
        #expect(warnings == [.unknownMember(name, path: "/etc/m.yaml", line: 2, suggestion: suggestion)])
        #expect(warnings.first?.sentence.contains("/etc/m.yaml, line 2: \(name)") == true)
    }

    @Test func `variables of the commands, of Kubernetes and of Docker are not reported`() throws {
        let variables = [
            "MORTISE_URL": "http://x", "MORTISE_TOKEN": "t", "MORTISE_SETTINGS": "/f", "MORTISE_POSTGRES_PASSWORD": "p",
            "MORTISE_TEST_DATABASE_URL": "u", "MORTISE_PORT": "tcp://10.0.0.1:8080", "MORTISE_SERVICE_HOST": "10.0.0.1",
            "MORTISE_SERVICE_PORT_HTTP": "8080", "MORTISE_PORT_8080_TCP": "tcp://10.0.0.1:8080",
            "MORTISE_PORT_8080_TCP_ADDR": "10.0.0.1", "MORTISE_LISTNE": "",
        ]
        #expect(try warnings(variables) == [])
    }

    @Test func `a settings file with a secret that every user can read is reported`() async throws {
        try await TemporaryFolder.with { folder in
            let path = "\(folder)/m.yaml"
            func warnings(_ text: String, mode: mode_t) throws -> [SettingWarning] {
                TemporaryFolder.write(text, to: path)
                try #require(chmod(path, mode) == 0)
                let link = "\(folder)/link"
                unlink(link)
                try #require(symlink(path, link) == 0)
                let direct = try SettingReader.load(flags: [], environment: ["MORTISE_SETTINGS": path]).warnings
                let linked = try SettingReader.load(flags: [], environment: ["MORTISE_SETTINGS": link]).warnings
                #expect(linked.count == direct.count)
                return direct
            }
            #expect(try warnings("admin_password: hunter2", mode: 0o644) == [.readableByOthers(path: path)])
            #expect(try warnings("admin_password: hunter2", mode: 0o640) == [])
            #expect(try warnings("admin_password_file: /f\nlisten: 127.0.0.1:1", mode: 0o644) == [])
            #expect(try warnings("listen: 127.0.0.1:1", mode: 0o666) == [.writableByOthers(path: path)])
            let device = try SettingReader.load(flags: [], environment: ["MORTISE_SETTINGS": "/dev/null"])
            #expect(device.warnings == [])
        }
    }

    @Test func `every command that reads settings reports the warnings and continues`() async throws {
        try await TemporaryFolder.with { folder in
            let path = "\(folder)/m.yaml"
            TemporaryFolder.write(
                "data: \(folder)/data\nlisen: x\nadmin_key: \(SettingsTests.adminKey.reveal())",
                to: path
            )
            try #require(chmod(path, 0o644) == 0)
            let variables = ["MORTISE_SETTINGS": path, "MORTISE_THREADSS": "1"]
            let expected = ["MORTISE_THREADSS", "Did you mean MORTISE_THREADS?", "lisen", "Every user can read"]
            for arguments in [["migrate"], ["cluster", "list"]] {
                let outcome = try await Program.run(arguments, environment: variables)
                // The secrets file is missing and is read next.
                #expect(outcome.code == 64 && outcome.errors.contains("\(folder)/data/secrets"))
                for text in expected { #expect(outcome.errors.contains(text), "\(arguments): \(text)") }
                #expect(!outcome.everything.contains(SettingsTests.adminKey.reveal()))
            }
            let doctor = try await Program.run(["doctor"], environment: variables)
            #expect(doctor.code == 0)
            for text in expected { #expect(doctor.output.contains(text), "doctor: \(text)") }
            // The command fails because it cannot create its folder.
            let serve = try await Program.run(["serve", "--data", "/dev/null/data"], environment: variables)
            #expect(serve.code != 0)
            for text in expected { #expect(serve.errors.contains(text), "serve: \(text)") }
            #expect(serve.errors.contains("the settings file was read"))
        }
    }
}
