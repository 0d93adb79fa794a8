import Glibc
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// One client without a credential opens as many connections as it can.
@Suite(.hangLimit) struct DescriptorTests {
    // The attack: at a low limit of open files, the connections of one client used them all up, and nobody else was answered.
    @Test func `a client that opens more connections than the system has descriptors for shuts nobody out`()
        async throws
    {
        try await ProcessInstallation.with { installation in
            let variables = installation.serveVariables()
            _ = try await RunningProgram.with(["serve"], variables, in: installation.folder, openFiles: 300) {
                program in
                let port = try await program.port()
                #expect(program.log.contains("the limit of open files allows fewer connections of clients"))
                var idle: [any Channel] = []
                for _ in 0..<500 {
                    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                        .connect(host: "127.0.0.1", port: port).get()
                    idle.append(channel)
                }
                // Connections that are still being accepted can take the place of one whose request has not arrived.
                try await eventually("five requests in a row are answered") {
                    for _ in 0..<5 {
                        let answer = try? await installation.call(
                            "GET",
                            "/v1/workspaces",
                            port: port,
                            token: installation.adminToken
                        )
                        guard answer?.status == 200 else { return false }
                    }
                    return true
                }
                // The longest idle ones had to go.
                try await eventually("the server has closed the first connections") { !idle[0].isActive }
                #expect(!program.hasEnded)
                for channel in idle { try? await channel.close() }
            }
        }
    }

    @Test func `the soft limit of open files is raised to the hard one`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { program in
                _ = try await program.port()
                let limits = TemporaryFolder.text("/proc/\(program.id)/limits") ?? ""
                let line = limits.split(separator: "\n").first { $0.hasPrefix("Max open files") } ?? ""
                let numbers = line.split(separator: " ").compactMap { Int($0) }
                #expect(numbers.count == 2 && numbers[0] >= min(numbers[1], 65_536), "\(line)")
            }
        }
    }
}
