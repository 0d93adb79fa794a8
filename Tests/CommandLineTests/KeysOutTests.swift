import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// The log of a container keeps all that a program prints.
@Suite(.hangLimit) struct KeysOutTests {
    @Test func `the first keys can be written to a file that only its owner can read`() async throws {
        try await ProcessInstallation.with { installation in
            let file = "\(installation.folder)/first-keys"
            let variables = installation.serveVariables(isPreset: false)
            let flags = ["serve", "--keys-out", file]
            _ = try await RunningProgram.with(flags, variables, in: installation.folder) { program in
                let port = try await program.port()
                let text = try #require(TemporaryFolder.text(file))
                let tokens = text.split(whereSeparator: \.isWhitespace).filter { $0.hasPrefix("mk") }.map(String.init)
                #expect(tokens.count == 2)
                for token in tokens {
                    #expect(!program.output.contains(token))
                    #expect(
                        try await installation.call("GET", "/v1/workspaces", port: port, token: token).status == 200
                    )
                }
                #expect(program.output.contains(file))
                let attributes = try FileManager.default.attributesOfItem(atPath: file)
                #expect(attributes[.posixPermissions] as? Int == 0o600)
            }
            // A later start has no first keys, and leaves the file alone.
            _ = try await RunningProgram.with(flags, variables, in: installation.folder) { program in
                _ = try await program.port()
                #expect(program.output == "")
            }
        }
    }

    @Test func `a file that exists keeps the first keys from being created`() async throws {
        try await ProcessInstallation.with { installation in
            let file = "\(installation.folder)/first-keys"
            TemporaryFolder.write("mine", to: file)
            let variables = installation.serveVariables(isPreset: false)
            let flags = ["serve", "--keys-out", file]
            _ = try await RunningProgram.with(flags, variables, in: installation.folder) { program in
                try await program.waitForEnd()
                #expect(program.log.contains("cannot be created"))
            }
            #expect(TemporaryFolder.text(file) == "mine")
            _ = try await RunningProgram.with(["serve"], variables, in: installation.folder) { program in
                _ = try await program.port()
                #expect(program.output.contains("operator key:"))
            }
        }
    }

    // The service of the package was started with data of its own, and then got the URL of an empty database. Or it was killed between the
    // file and the commit. Either way it could never start again.
    @Test func `the file of an earlier first start is kept under another name`() async throws {
        try await ProcessInstallation.with { installation in
            let file = "\(installation.folder)/first-keys"
            let earlier =
                "This is the first start. These tokens are shown once.\n  operator key: of another installation\n"
            TemporaryFolder.write(earlier, to: file)
            TemporaryFolder.write("older", to: "\(file).1")
            let variables = installation.serveVariables(isPreset: false)
            _ = try await RunningProgram.with(["serve", "--keys-out", file], variables, in: installation.folder) {
                program in
                let port = try await program.port()
                let text = try #require(TemporaryFolder.text(file))
                let tokens = text.split(whereSeparator: \.isWhitespace).filter { $0.hasPrefix("mk") }.map(String.init)
                #expect(tokens.count == 2)
                for token in tokens {
                    #expect(
                        try await installation.call("GET", "/v1/workspaces", port: port, token: token).status == 200
                    )
                }
                #expect(program.output.contains("is now \(file).2."))
            }
            #expect(TemporaryFolder.text("\(file).2") == earlier)
            #expect(TemporaryFolder.text("\(file).1") == "older")
        }
    }

    // A start that read a pipe or a terminal would wait for it, in the middle of the first keys.
    @Test(arguments: ["pipe", "/dev/null", "-"])
    func `only a regular file can be the file of an earlier first start`(name: String) async throws {
        try await ProcessInstallation.with { installation in
            let file = name == "pipe" ? "\(installation.folder)/pipe" : name
            if name == "pipe" { try #require(mkfifo(file, 0o600) == 0) }
            let variables = installation.serveVariables(isPreset: false)
            _ = try await RunningProgram.with(["serve", "--keys-out", file], variables, in: installation.folder) {
                program in
                try await program.waitForEnd()
                #expect(program.log.contains("No key was created."), "\(program.log)")
            }
        }
    }

    // A file of mode 0644, as copying it leaves one.
    @Test func `a secrets file that others can read is reported with the command that mends it`() async throws {
        try await ProcessInstallation.with { installation in
            let file = "\(installation.folder)/secrets"
            chmod(file, 0o644)
            try await installation.serve { program in
                _ = try await program.port()
                #expect(program.log.contains("other users can read the secrets file"))
                #expect(program.log.contains("chmod 600 \(file)"))
            }
        }
    }
}
