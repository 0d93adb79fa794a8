/// How long sessions last.
enum SessionLimits {
    /// A session ends when it has not been refreshed for so long.
    static let idle = Duration.seconds(7 * 86_400)
    /// It ends so long after it was begun, however often it is refreshed.
    static let absolute = Duration.seconds(30 * 86_400)
    /// The most bytes of a password that are looked at: those of the longest new one.
    static let passwordBytes = NewPassword.length.upperBound * 4
}
