import Glibc

/// The system account that PostgreSQL's programs run as.
///
/// They refuse to run as root. A process that is root runs them as `postgres`, or as `nobody` where that does not exist.
struct ServerAccount: Sendable {
    let name: String
    let userID: uid_t
    let groupID: gid_t

    /// Whether the programs run as somebody other than this process.
    let isOther: Bool

    static func forThisProcess() throws -> ServerAccount {
        let user = geteuid()
        guard user == 0 else {
            return ServerAccount(name: "uid \(user)", userID: user, groupID: getegid(), isOther: false)
        }
        for name in ["postgres", "nobody"] {
            if let found = lookUp(name) { return found }
        }
        throw LocalPostgresError(
            .notInstalled,
            "PostgreSQL's server does not run as root, and neither the user postgres nor nobody exists to run it as"
        )
    }

    /// A command that runs another one as this account; `setpriv` is part of util-linux.
    func command(_ arguments: [String]) -> [String] {
        guard isOther else { return arguments }
        return ["setpriv", "--reuid=\(userID)", "--regid=\(groupID)", "--clear-groups", "--"] + arguments
    }

    /// Hands something to this account, unless this process runs as it.
    func takeOwnership(of path: String) throws {
        guard isOther else { return }
        guard lchown(path, userID, groupID) == 0 else {
            throw LocalPostgresError.systemCall("give \(path) to the user \(name)", errno)
        }
    }

    private static func lookUp(_ name: String) -> ServerAccount? {
        var entry = passwd()
        var buffer = [CChar](repeating: 0, count: 16_384)
        var found: UnsafeMutablePointer<passwd>?
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil, entry.pw_uid != 0 else {
            return nil
        }
        return ServerAccount(name: name, userID: entry.pw_uid, groupID: entry.pw_gid, isOther: true)
    }
}
