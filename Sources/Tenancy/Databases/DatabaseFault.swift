package import FoundationEssentials
import Logging
import Postgres

/// A fault of one database, or of one PostgreSQL server.
package struct DatabaseFault: Hashable, Sendable {
    /// A kind of fault.
    package enum Kind: Hashable, Sendable {
        /// The database cannot be reached, or does not answer in time.
        case unusable
        /// Too many requests wait for a connection.
        case busy
        /// The database does not exist.
        case missing
        /// The database lacks a table or a column of this release.
        case outdated
        /// The disk of the server is full.
        case diskFull
        /// The server is a standby, or was set to be read-only.
        case readOnly
        /// The server has no connection left.
        case noConnection
    }

    /// The kind.
    package let kind: Kind
    /// The id of the workspace, which is the root workspace's for the control database, or of the cluster for a fault of a server.
    package let place: UUID

    /// Creates a fault.
    package init(_ kind: Kind, at place: UUID) {
        self.kind = kind
        self.place = place
    }
}

extension DatabaseFault.Kind {
    /// Returns the fault that an error shows, or `nil` for an error that says nothing about the database.
    init?(_ error: any Error) {
        guard let error = error as? PostgresError else {
            guard (error as? TenancyError)?.code == .capacityExceeded else { return nil }
            self = .busy
            return
        }
        switch error.sqlState {
        case .undefinedDatabase?: self = .missing
        case .undefinedTable?, .undefinedColumn?: self = .outdated
        case .diskFull?: self = .diskFull
        case .readOnlyTransaction?: self = .readOnly
        case .tooManyConnections?: self = .noConnection
        // 57: cancelled or shutting down; 58: the server's own system failed.
        case let state? where ["57", "58"].contains(state.errorClass): self = .unusable
        default:
            switch error.code {
            case .connectFailed, .connectionLost, .deadlineExceeded: self = .unusable
            case .poolTimedOut, .queueFull: self = .busy
            default: return nil
            }
        }
    }

    /// True if the fault is one of the whole server, whatever the database in which it was met.
    var isOfServer: Bool {
        switch self {
        case .diskFull, .readOnly, .noConnection: true
        case .unusable, .busy, .missing, .outdated: false
        }
    }

    /// The level of the line that names the cause.
    var level: Logger.Level { self == .busy ? .warning : .error }

    /// Returns the sentence for operators when the fault begins.
    func beginning(ofControl isControl: Bool) -> Logger.Message {
        switch self {
        case .unusable: isControl ? "the control database cannot be used" : "a workspace's database cannot be used"
        case .busy: "too many requests wait for the connections to a database"
        case .missing:
            isControl
                ? "the control database is missing: restore it"
                : "the database of a workspace is missing: restore it, or delete the workspace"
        case .outdated:
            isControl
                ? "the control database is older than this release: run `mortise migrate`"
                : "a workspace's database is older than this release: run `mortise migrate --workspaces`"
        case .diskFull: "a PostgreSQL server refuses changes: its disk is full"
        case .readOnly: "a PostgreSQL server refuses changes: it is a standby, or set to be read-only"
        case .noConnection: "a PostgreSQL server has no connection left: raise max_connections, or close others"
        }
    }

    /// Returns the sentence for operators when the fault is over.
    func end(ofControl isControl: Bool) -> Logger.Message {
        switch self {
        case .unusable, .missing, .outdated:
            isControl ? "the control database can be used again" : "a workspace's database can be used again"
        case .busy: "the connections to a database are free again"
        case .diskFull, .readOnly: "a PostgreSQL server accepts changes again"
        case .noConnection: "a PostgreSQL server has connections again"
        }
    }
}
