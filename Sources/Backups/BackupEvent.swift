/// A step of a backup or of a restoration.
public enum BackupEvent: Sendable {
    /// The work begins, with this number of databases.
    case began(databases: Int)
    /// A database is complete.
    ///
    /// `isEarlier` is true if an earlier run has completed it.
    case finished(database: String, isEarlier: Bool)
}
