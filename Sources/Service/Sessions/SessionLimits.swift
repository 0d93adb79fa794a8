/// The lifetimes of sessions.
enum SessionLimits {
    /// The time after which a session ends unless it is refreshed.
    static let idle = Duration.seconds(7 * 86_400)
    /// The time after which a session ends in any case.
    static let absolute = Duration.seconds(30 * 86_400)
    /// The maximum length in bytes of a password that is compared: that of the longest new password.
    static let passwordBytes = NewPassword.length.upperBound * 4
}
