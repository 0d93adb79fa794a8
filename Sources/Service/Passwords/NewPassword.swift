/// The rule for new passwords.
public enum NewPassword {
    /// The length in Unicode scalars: enough to resist guessing, and short enough to hash.
    public static let length = 12...256
}
