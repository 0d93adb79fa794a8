/// A notification that another session sent with NOTIFY.
public struct PostgresNotification: Sendable, Hashable {
    /// The name of the channel.
    public let channel: String
    /// The text that was sent with the notification.
    ///
    /// The text is empty if none was sent.
    public let payload: String
    /// The server process of the session that sent the notification.
    public let process: Int32
}
