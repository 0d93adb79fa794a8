import Keys

/// The times of a delivery's attempts.
enum DeliverySchedule {
    /// The times after the first attempt.
    static let offsets: [Duration] = [
        .zero, .seconds(5), .seconds(300), .seconds(1800), .seconds(7200), .seconds(18_000), .seconds(36_000),
        .seconds(86_400), .seconds(108_000),
    ]

    /// The time of nothing but failures after which a webhook is disabled.
    static let patience = Duration.seconds(5 * 86_400)

    /// The maximum delay by chance, as a part of the time since the attempt before.
    ///
    /// Without it, all deliveries that failed together would be repeated together.
    static let jitter = 0.2

    /// Returns the time of the attempt after a failed one, or `nil` if that was the last attempt.
    ///
    /// - Parameters:
    ///   - attempt: The number of the failed attempt, from 1.
    ///   - start: The time of the first attempt.
    ///   - now: The time of the failed attempt.
    ///   - chance: A random number from 0 to 1.
    /// - Returns: The time. After an attempt that was late, at least half of the planned pause remains.
    static func next(after attempt: Int, start: Timestamp, now: Timestamp, chance: Double) -> Timestamp? {
        guard attempt >= 1, attempt < offsets.count else { return nil }
        let pause = offsets[attempt] - offsets[attempt - 1]
        return max(start + offsets[attempt], now + pause / 2) + pause * (jitter * chance)
    }
}
