import Glibc

/// The system account that PostgreSQL's programs run as.
///
/// They refuse to run as root. A process that is root runs them as `postgres`, or as `nobody` where that does not exist.
package struct ServerAccount: Sendable {
    let name: String
    let userID: uid_t
    let groupID: gid_t

    /// True if the account is not the account of this process.
    package let isOther: Bool

    /// Returns the account for the programs that this process starts.
    package static func forThisProcess() throws -> ServerAccount {
        let user = geteuid()
        guard user == 0 else {
            return ServerAccount(name: "uid \(user)", userID: user, groupID: getegid(), isOther: false)
        }
        for name in ["postgres", "nobody"] {
            if let found = lookUp(name) { return found }
        }
        throw LocalPostgresError(
            .notInstalled,
            "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as; create the user postgres"
        )
    }

    /// Returns a command that runs another command as this account.
    ///
    /// `setpriv` is part of util-linux.
    package func command(_ arguments: [String]) -> [String] {
        guard isOther else { return arguments }
        return ["setpriv", "--reuid=\(userID)", "--regid=\(groupID)", "--clear-groups", "--"] + arguments
    }

    /// Changes the owner of a path to this account, unless this process runs as the account.
    package func takeOwnership(of path: String) throws {
        guard isOther else { return }
        guard lchown(path, userID, groupID) == 0 else {
            throw LocalPostgresError.systemCall("give \(path) to the user \(name)", errno)
        }
    }

    /// Returns the name of a user, or `nil` if the system knows none.
    static func name(of user: uid_t) -> String? {
        var entry = passwd()
        var buffer = [CChar](repeating: 0, count: 16_384)
        var found: UnsafeMutablePointer<passwd>?
        guard getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return String(cString: entry.pw_name)
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
