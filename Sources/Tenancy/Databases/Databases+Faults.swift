import FoundationEssentials

extension Databases {
    /// The time after which a failure says nothing about the present any more.
    private static let recent = Duration.seconds(60)

    /// Logs the reason for which a database could not be used: once, until it can be used again.
    ///
    /// An error that says nothing about the database is not logged. The line is a warning if the log has the cause already, because this
    /// node cannot renew its lease on the server.
    ///
    /// - Parameters:
    ///   - error: The error.
    ///   - workspace: The workspace. `nil` is the control database.
    public func report(_ error: any Error, of workspace: WorkspaceFacts?) {
        guard let kind = DatabaseFault.Kind(error) else { return }
        let cluster = clusterID(of: workspace)
        faults.failed(
            DatabaseFault(kind, at: kind.isOfServer ? cluster : workspace?.workspaceID ?? Workspace.rootID),
            error,
            in: name(of: workspace),
            isControl: workspace == nil,
            isCovered: kind == .unusable && fencing.isCutOff(from: cluster)
        )
    }

    /// Logs a fault of the control database's server, once until it is over.
    ///
    /// An error that says nothing about a whole server is not logged.
    ///
    /// - Parameter error: The error of something that used several databases.
    public func reportOfServer(_ error: any Error) {
        if DatabaseFault.Kind(error)?.isOfServer == true { report(error, of: nil) }
    }

    /// Notes that a database was used, so that the log can say which faults are over.
    ///
    /// - Parameters:
    ///   - workspace: The workspace. `nil` is the control database.
    ///   - isChange: True if something was changed.
    public func noteUse(of workspace: WorkspaceFacts?, isChange: Bool = false) {
        guard faults.hasOpen else { return }
        let (name, isControl) = (name(of: workspace), workspace == nil)
        let place = workspace?.workspaceID ?? Workspace.rootID
        faults.worked([.unusable, .busy, .missing, .outdated], at: place, in: name, isControl: isControl)
        faults.worked(
            isChange ? [.noConnection, .diskFull, .readOnly] : [.noConnection],
            at: clusterID(of: workspace),
            in: name,
            isControl: isControl
        )
    }

    /// Does something in a database, and notes its success or logs its failure.
    ///
    /// - Parameters:
    ///   - workspace: The workspace. `nil` is the control database.
    ///   - isChange: True if something is changed.
    ///   - body: Uses the database.
    /// - Returns: The value that `body` returned.
    /// - Throws: The errors of `body`.
    public func noting<T>(
        _ workspace: WorkspaceFacts?,
        isChange: Bool = false,
        _ body: () async throws -> T
    ) async throws -> T {
        do {
            let value = try await body()
            noteUse(of: workspace, isChange: isChange)
            return value
        } catch {
            report(error, of: workspace)
            throw error
        }
    }

    /// The reasons for which changes were refused within the last minute, as sentences for operators.
    public var refusalsOfChanges: [String] {
        var reasons: [String] = []
        if faults.isOpen(.diskFull, within: Self.recent) {
            reasons.append("changes are refused: the disk of a PostgreSQL server is full")
        }
        if faults.isOpen(.readOnly, within: Self.recent) {
            reasons.append("changes are refused: a PostgreSQL server is a standby, or set to be read-only")
        }
        return reasons
    }
}
