import Glibc

extension LocalPostgres {
    /// How far a folder has come on its way to a database.
    public enum FolderState: Sendable {
        /// It holds no data: no server was ever started in it, or the first start was interrupted.
        case empty
        /// A program is making the data at this moment, or what it started for that still does.
        case beingMade
        /// The data are there, whether or not a server runs.
        case made
    }

    /// Looks at the folder of a server; changes nothing and waits for nobody.
    ///
    /// - Parameter directory: the folder, which need not exist.
    /// - Returns: its state at this moment.
    /// - Throws: ``LocalPostgresError`` (`unusableFolder`) when this process may not look into it.
    public static func state(of directory: String) throws -> FolderState {
        guard let path = SystemCall.resolve(directory) else {
            if errno == EACCES { throw LocalPostgresError.systemCall("look into \(directory)", errno) }
            return .empty
        }
        let folder = ServerFolder(path: path)
        if folder.hasCluster { return .made }
        if errno == EACCES { throw LocalPostgresError.systemCall("look into \(folder.data)", errno) }
        let isBusy = try FileLock.isHeld(path: folder.startLock) || FileLock.isHeld(path: folder.makingLock)
        // It may have been completed between the two looks.
        if folder.hasCluster { return .made }
        return isBusy ? .beingMade : .empty
    }
}
