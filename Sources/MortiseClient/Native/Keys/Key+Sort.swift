extension Mortise.Key {
    /// An order of a list of keys.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "sort")
    public enum Sort: String, Sendable, Hashable, CaseIterable {
        /// By name, without regard to case.
        case name
        /// By name in reverse.
        case nameReversed = "-name"
        /// By the time of creation, the oldest first.
        case oldestFirst = "created_at"
        /// By the time of creation, the newest first.
        case newestFirst = "-created_at"
        /// By the end, by expiry or a grace period, the next one first. Keys without an end come last.
        case endingFirst = "expires_at"
        /// By the end in reverse. Keys without an end come first.
        case endingLast = "-expires_at"
        /// By the last use, the longest ago first. Keys that were never used come before all others.
        case leastRecentlyUsed = "last_used_at"
        /// By the last use, the most recent first. Keys that were never used come last.
        case mostRecentlyUsed = "-last_used_at"
    }
}
