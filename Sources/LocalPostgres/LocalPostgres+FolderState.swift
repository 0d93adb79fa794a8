import Glibc

extension LocalPostgres {
    /// The state of a server's folder.
    public enum FolderState: Sendable {
        /// The folder has no data: no server was ever started in it, or the first start was interrupted.
        case empty
        /// A program, or the `initdb` that it started, is creating the data at this moment.
        case creating
        /// The folder has data. A server may run on them or not.
        case complete
    }

    /// Returns the state of a server's folder at this moment.
    ///
    /// Changes nothing and does not wait.
    ///
    /// - Parameter directory: The folder. It does not have to exist.
    /// - Returns: The state of the folder.
    /// - Throws: ``LocalPostgresError`` (`unusableFolder`) if this process cannot read the folder.
    public static func state(of directory: String) throws -> FolderState {
        guard let path = SystemCall.resolve(directory) else {
            if errno == EACCES { throw LocalPostgresError.systemCall("look into \(directory)", errno) }
            return .empty
        }
        let folder = ServerFolder(path: path)
        if folder.hasCluster { return .complete }
        if errno == EACCES { throw LocalPostgresError.systemCall("look into \(folder.data)", errno) }
        let isBusy = try FileLock.isHeld(path: folder.startLock) || FileLock.isHeld(path: folder.creationLock)
        // The data may have been completed between the two checks.
        if folder.hasCluster { return .complete }
        return isBusy ? .creating : .empty
    }
}
