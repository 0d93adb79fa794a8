import Glibc
import TestSupport
import Testing

/// A terminal that closes while `mortise serve` runs.
@Suite(.hangLimit) struct HangUpTests {
    // The accident: an operator starts the server with `nohup mortise serve &`, and closes the terminal.
    @Test func `a server that nohup has started goes on when its terminal closes`() async throws {
        try await ProcessInstallation.with { installation in
            let run = try await RunningProgram.with(
                ["serve"],
                installation.serveVariables(),
                in: installation.folder,
                ignored: "HUP"
            ) { program in
                let port = try await program.port()
                // A signal that is ignored when it comes leaves no trace, so the mask shows that no handler took its place.
                #expect(Self.isIgnored(SIGHUP, by: program.id))
                program.terminate(SIGHUP)
                #expect(try await installation.readiness(port: port).status == 200)
                #expect(!program.hasEnded)
                program.terminate()
                try await program.waitForEnd()
            }
            #expect(run.code == 0)
        }
    }

    /// Returns true if a process ignores a signal (proc_pid_status(5), `SigIgn`).
    private static func isIgnored(_ signal: CInt, by process: pid_t) -> Bool {
        let status = TemporaryFolder.text("/proc/\(process)/status") ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("SigIgn:") }
        let mask = line?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
        return mask & (1 << UInt64(signal - 1)) != 0
    }
}
