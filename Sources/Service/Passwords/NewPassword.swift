/// What a new password has to be like, wherever it is given.
public enum NewPassword {
    /// How many Unicode scalars it has: enough to resist guessing, and so few that nobody makes a server read a novel.
    public static let length = 12...256
}
