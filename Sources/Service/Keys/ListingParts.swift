/// The sizes of the parts in which a list of keys is read.
///
/// The thread of a request decodes a part without a pause, and serves all tenants. So a part has few keys if they are large.
struct ListingParts {
    /// The number of keys of the first part, of which nothing is known.
    static let first = 20
    /// The maximum number of keys of a part.
    static let most = 200
    /// The bytes of texts that a part has, if its keys are as large as those of the part before it.
    static let usualBytes = 262_144

    /// The number of keys of the next part.
    private(set) var next = Self.first
    /// The bytes of the texts of all parts so far.
    private(set) var bytes = 0

    /// Notes a part that was read.
    mutating func note(keys: Int, bytes: Int) {
        self.bytes += bytes
        guard keys > 0 else { return }
        next = min(Self.most, max(1, Self.usualBytes / max(1, bytes / keys)))
    }
}
