import FoundationEssentials
import Glibc

/// The file `postmaster.pid` of a running server.
///
/// PostgreSQL's `miscadmin.h` lists its lines.
struct PostmasterFile: Sendable {
    let processID: pid_t
    let socketFolder: String

    /// The state that a server reports in the file.
    enum Status: String, Sendable {
        case starting
        case stopping
        case ready
        case standby
    }

    /// The state of the server.
    ///
    /// `nil` if the file has another word.
    let status: Status?

    /// Reads the file.
    ///
    /// Returns `nil` if there is none or it is incomplete.
    init?(folder: ServerFolder) {
        guard let text = try? String(contentsOfFile: Self.path(folder), encoding: .utf8) else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 7, let processID = pid_t(lines[0]), processID > 1 else { return nil }
        self.processID = processID
        socketFolder = String(lines[4])
        status = lines[7].split(separator: " ").first.flatMap { Status(rawValue: String($0)) }
    }

    /// Returns the path of the file.
    static func path(_ folder: ServerFolder) -> String { "\(folder.data)/postmaster.pid" }

    /// Returns true if the process exists and is a server on this folder.
    ///
    /// After a reboot, and in a container after every start, another program can have the number. PostgreSQL itself only
    /// asks if the number is in use, and would refuse to start.
    func isRunning(in folder: ServerFolder) -> Bool {
        guard kill(processID, 0) == 0 || errno == EPERM else { return false }
        let name = try? String(contentsOfFile: "/proc/\(processID)/comm", encoding: .utf8)
        guard let name, name.hasPrefix("postgres") || name.hasPrefix("postmaster") else { return false }
        // The working folder of a server is its data folder. If that cannot be read, the name must suffice.
        guard let workingFolder = SystemCall.workingFolder(of: processID) else { return true }
        return workingFolder == SystemCall.resolve(folder.data)
    }
}
