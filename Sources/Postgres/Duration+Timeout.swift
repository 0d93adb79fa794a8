extension Duration {
    /// The duration in whole milliseconds, at least 1: for PostgreSQL, 0 means no limit.
    package var timeoutMilliseconds: Int64 {
        max(1, components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
    }
}
