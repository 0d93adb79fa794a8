extension Duration {
    /// The whole nanoseconds of a duration below 292 years.
    ///
    /// A division by `.nanoseconds(1)` gives a `Double`, which loses some of them.
    package var wholeNanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }

    /// The whole microseconds of a duration below 292,000 years.
    package var wholeMicroseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }
}
