import FoundationEssentials
import Glibc

/// What a running server says of itself in `postmaster.pid` (the lines are listed in PostgreSQL's `miscadmin.h`).
struct PostmasterFile: Sendable {
    let processID: pid_t
    let socketFolder: String

    /// `starting`, `stopping`, `ready` or `standby`.
    let status: String

    /// Reads the file; nil when there is none or it is not yet complete.
    init?(folder: ServerFolder) {
        guard let text = try? String(contentsOfFile: Self.path(folder), encoding: .utf8) else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 7, let processID = pid_t(lines[0]), processID > 1 else { return nil }
        self.processID = processID
        socketFolder = String(lines[4])
        status = lines[7].split(separator: " ").first.map(String.init) ?? ""
    }

    static func path(_ folder: ServerFolder) -> String { "\(folder.data)/postmaster.pid" }

    /// Whether the process is there and is a server on this cluster.
    ///
    /// After a reboot, and in a container after every start, another program may have got the number. PostgreSQL
    /// itself only asks whether the number is taken, and would refuse to start.
    func isRunning(in folder: ServerFolder) -> Bool {
        guard kill(processID, 0) == 0 || errno == EPERM else { return false }
        let name = try? String(contentsOfFile: "/proc/\(processID)/comm", encoding: .utf8)
        guard let name, name.hasPrefix("postgres") || name.hasPrefix("postmaster") else { return false }
        // A server works in its data folder. Where that may not be read, the name has to do.
        guard let workingFolder = SystemCall.resolve("/proc/\(processID)/cwd") else { return true }
        return workingFolder == SystemCall.resolve(folder.data)
    }
}
