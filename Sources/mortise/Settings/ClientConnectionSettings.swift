package import Connections

/// The limits of clients' connections.
package struct ClientConnectionSettings: Sendable, Equatable {
    /// The limits, with the default for the number of connections where no setting gives one.
    package var limits: ConnectionLimits
    /// True if a setting gives the number of connections.
    package var hasMaximum: Bool

    init(_ reader: SettingReader) throws(CommandFailure) {
        limits = ConnectionLimits()
        let maximum = try reader.value(Settings.maximumConnections)
        hasMaximum = maximum != nil
        if let maximum { limits.maximum = maximum }
        limits.head = try reader.value(Settings.headTimeout)
        limits.body = try reader.value(Settings.bodyTimeout)
        limits.idle = try reader.value(Settings.idleTimeout)
        limits.answer = try reader.value(Settings.answerTimeout)
    }
}
