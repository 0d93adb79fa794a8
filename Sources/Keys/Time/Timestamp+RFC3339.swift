import CivilTime

extension Timestamp {
    /// Creates the instant that an RFC 3339 text names, or returns `nil` if the text is not a date and time.
    ///
    /// The rules are those of `CivilTime.RFC3339`: an offset is required, `T` and `Z` may be in lower case, a fraction has
    /// up to 9 digits, and leap seconds are refused. Digits below a microsecond are dropped. An instant outside of the
    /// years 1 to 9999 becomes the nearest instant inside.
    public init?(rfc3339 text: String) {
        guard let microseconds = RFC3339.microseconds(text) else { return nil }
        self.init(microsecondsSinceUnixEpoch: microseconds)
    }

    /// The instant as RFC 3339 in UTC, with `Z`.
    ///
    /// The fraction has three digits for a whole number of milliseconds, and six digits otherwise. Every instant has
    /// exactly one text, and no text loses a part of its instant.
    public var rfc3339: String { RFC3339.text(microseconds: microsecondsSinceUnixEpoch, digits: .three) }
}

extension Timestamp: CustomStringConvertible {
    /// The instant as RFC 3339 in UTC.
    public var description: String { rfc3339 }
}
