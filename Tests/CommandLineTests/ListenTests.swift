import Glibc
import NIOCore
import NIOPosix
import TestSupport
import Testing
import mortise

/// The faults that keep a server from starting, before it has done anything.
@Suite(.hangLimit) struct ListenTests {
    /// Runs `body` while another program listens at a port, with an empty folder.
    private static func withTakenPort(_ body: (_ port: Int, _ folder: String) async throws -> Void) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await TemporaryFolder.with { folder in try await body(port, folder) }
        try await channel.close()
    }

    // The accident: the port is taken, and the keys of the first start are shown although they never count.
    @Test func `a server whose port is taken shows no keys, creates nothing and names the address`() async throws {
        try await Self.withTakenPort { port, folder in
            let outcome = try await Program.run(
                ["serve"],
                environment: ["MORTISE_DATA": "\(folder)/data", "MORTISE_LISTEN": "127.0.0.1:\(port)"]
            )
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("Another program listens at 127.0.0.1:\(port)."), "\(outcome.errors)")
            #expect(outcome.errors.contains("--listen"))
            #expect(!outcome.output.contains("mko_"))
            #expect(access("\(folder)/data", F_OK) != 0)
        }
    }

    // The accident: a client that connects while a server restarts is accepted by the check, and waits for ever.
    @Test func `a client that connects while addresses are checked is not left without an end`() async throws {
        let listener = try await ListenCheck.occupy("127.0.0.1", 0)
        let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: try #require(listener.localAddress)).get()
        try await listener.close()
        try await client.closeFuture.get()
    }

    // The accident: the main listener is named instead, which is free.
    @Test(arguments: [
        ("MORTISE_GATEWAY_LISTEN", "--gateway-listen"), ("MORTISE_GRPC_LISTEN", "--grpc-listen"),
        ("MORTISE_OPERATIONS_LISTEN", "--operations-listen"),
    ])
    func `a server whose other port is taken names its address and its setting, and creates nothing`(
        _ variable: String,
        _ flag: String
    ) async throws {
        try await Self.withTakenPort { port, folder in
            let outcome = try await Program.run(
                ["serve"],
                environment: [
                    "MORTISE_DATA": "\(folder)/data", "MORTISE_LISTEN": "127.0.0.1:0", variable: "127.0.0.1:\(port)",
                ]
            )
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("Another program listens at 127.0.0.1:\(port)."), "\(outcome.errors)")
            #expect(outcome.errors.contains(flag), "\(outcome.errors)")
            #expect(access("\(folder)/data", F_OK) != 0)
        }
    }

    @Test func `an address that is too long, that two listeners have, or whose host is unknown is named`() async throws
    {
        try await TemporaryFolder.with { folder in
            // No part of a name has more than 63 characters, so no name server is asked.
            let host = String(repeating: "a", count: 64)
            let unknown = try await Program.run(
                ["serve"],
                environment: ["MORTISE_DATA": "\(folder)/data", "MORTISE_LISTEN": "\(host):8080"]
            )
            #expect(unknown.code == 1)
            #expect(unknown.errors.contains("The host of \(host):8080 cannot be resolved."), "\(unknown.errors)")
            let long = "unix:/\(String(repeating: "a", count: 103))"
            let tooLong = try await Program.run(
                ["serve"],
                environment: ["MORTISE_DATA": "\(folder)/data", "MORTISE_LISTEN": long]
            )
            #expect(tooLong.code == 1)
            #expect(tooLong.errors.contains("The address \(long) is too long for a socket."), "\(tooLong.errors)")
            let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: "127.0.0.1", port: 0).get()
            let address = "127.0.0.1:\(channel.localAddress?.port ?? 0)"
            try await channel.close()
            let twice = try await Program.run(
                ["serve"],
                environment: [
                    "MORTISE_DATA": "\(folder)/data", "MORTISE_LISTEN": address,
                    "MORTISE_GATEWAY_LISTEN": address.replacing("127.0.0.1", with: "localhost"),
                ]
            )
            #expect(twice.code == 1)
            #expect(twice.errors.contains("Another program listens at localhost:"), "\(twice.errors)")
            #expect(twice.errors.contains("another listener of this one"), "\(twice.errors)")
            #expect(access("\(folder)/data", F_OK) != 0)
        }
    }

    // The accident: keys are shown, and then the folder of the socket turns out to be missing.
    @Test(arguments: [
        ("MORTISE_LISTEN", "--listen"), ("MORTISE_GATEWAY_LISTEN", "--gateway-listen"),
        ("MORTISE_OPERATIONS_LISTEN", "--operations-listen"),
    ])
    func `a server whose socket's folder is missing names the setting, shows no keys and creates nothing`(
        _ variable: String,
        _ flag: String
    ) async throws {
        try await TemporaryFolder.with { folder in
            var variables = ["MORTISE_DATA": "\(folder)/data", "MORTISE_LISTEN": "unix:\(folder)/m.sock"]
            variables[variable] = "unix:\(folder)/missing/m.sock"
            let outcome = try await Program.run(["serve"], environment: variables)
            #expect(outcome.code == 1)
            let sentence = "The folder of unix:\(folder)/missing/m.sock does not exist."
            #expect(outcome.errors.contains(sentence), "\(outcome.errors)")
            #expect(outcome.errors.contains(flag), "\(outcome.errors)")
            #expect(!outcome.output.contains("mko_"))
            #expect(access("\(folder)/data", F_OK) != 0)
            // The socket that the check made is gone.
            #expect(access("\(folder)/m.sock", F_OK) != 0)
        }
    }

    @Test func `a data folder that cannot be created is named`() async throws {
        try await TemporaryFolder.with { folder in
            TemporaryFolder.write("", to: "\(folder)/file")
            let outcome = try await Program.run(
                ["serve"],
                environment: ["MORTISE_DATA": "\(folder)/file/data", "MORTISE_LISTEN": "127.0.0.1:0"]
            )
            #expect(outcome.code == 64, "\(outcome.everything)")
            #expect(
                outcome.errors.contains("The data folder \(folder)/file/data cannot be created"),
                "\(outcome.errors)"
            )
            #expect(outcome.errors.contains("--data"))
        }
    }

    // The accident: somebody in the wrong folder follows the advice to make a secrets file there.
    @Test func `a command in a folder without an installation says which file it looked for and where to run it`()
        async throws
    {
        for command in [["cluster", "list"], ["cluster", "remove", "second"], ["migrate"]] {
            let outcome = try await Program.run(command + ["--data", ".no-installation"])
            #expect(outcome.code == 64, "\(outcome.everything)")
            #expect(outcome.errors.contains("There is no secrets file /"), "\(outcome.errors)")
            #expect(outcome.errors.contains("/.no-installation/secrets."), "\(outcome.errors)")
            for text in ["the folder in which `mortise serve` runs", "--data", "--pepper-file"] {
                #expect(outcome.errors.contains(text), "\(outcome.errors)")
            }
            #expect(!outcome.errors.contains("secrets new"))
        }
        let named = try await Program.run(["cluster", "list", "--pepper-file", "/nowhere/secrets"])
        #expect(named.code == 64 && named.errors.contains("There is no secrets file /nowhere/secrets."))
        #expect(named.errors.contains("MORTISE_PEPPER_FILE") && named.errors.contains("original file"))
    }

    // The accident: somebody who cannot read the secrets file follows the advice to make a new one.
    @Test func `a secrets file that exists and cannot be read gets no advice to make a new one`() async throws {
        try await TemporaryFolder.with { folder in
            try #require(mkdir("\(folder)/secrets", 0o700) == 0)
            let variables = [
                "MORTISE_DATABASE_URL": "postgresql://u@127.0.0.1:1/d", "MORTISE_PEPPER_FILE": "\(folder)/secrets",
            ]
            for command in [["migrate"], ["cluster", "list"]] {
                let outcome = try await Program.run(command, environment: variables)
                #expect(outcome.code == 64)
                #expect(outcome.errors.contains("Do not make a new one"), "\(outcome.errors)")
                #expect(!outcome.errors.contains("secrets new"))
            }
        }
    }
}
