/// The times at which an organization is told about its keys.
public struct NoticeSettings: Sendable, Hashable {
    /// The days before the end of a key, each with a notice of its own.
    public var expiryDays: [Int64]
    /// The days without a use after which a key has a notice.
    ///
    /// Zero turns the notice off.
    public var unusedAfterDays: Int64

    /// The settings of an organization that has chosen nothing.
    public static let standard = NoticeSettings(expiryDays: [30, 7, 1], unusedAfterDays: 90)

    /// Creates settings.
    public init(expiryDays: [Int64], unusedAfterDays: Int64) {
        self.expiryDays = expiryDays
        self.unusedAfterDays = unusedAfterDays
    }
}
