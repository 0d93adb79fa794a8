/// Which PostgreSQL holds the control database.
package enum DatabaseSettings: Sendable, Equatable {
    /// One that Mortise runs itself from the installed binaries, which are looked for where `binaries` is `nil`.
    case own(binaries: String?)
    /// One that is there, by its libpq connection string; it may hold a password.
    case server(SecretText)

    init(_ reader: SettingReader) throws(CommandFailure) {
        guard let url = try reader.find(.databaseURL) else {
            self = .own(binaries: try reader.find(.postgresBin)?.text)
            return
        }
        if reader.hasFlag(.postgresBin) {
            throw .usage(
                "\(Setting.postgresBin.flag) is for a PostgreSQL of Mortise's own, but \(url.source) names another server."
            )
        }
        let isURL = ["postgres://", "postgresql://"].contains { url.text.hasPrefix($0) }
        // A connection string in libpq's other form is a list of key=value pairs (libpq manual, section 34.1.1.1).
        guard isURL || (url.text.contains("=") && !url.text.contains("://")) else {
            throw .usage("\(url.source) is not a PostgreSQL URL, such as postgresql://user@host/database.")
        }
        self = .server(SecretText(url.text))
    }
}
