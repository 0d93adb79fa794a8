import ArgumentParser

/// The time limit of a request or an examination.
struct TimeoutOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The time limit for a request or an examination, 1 to 3600 seconds.", valueName: "seconds")
    )
    var timeout = 30

    func validate() throws {
        guard (1...3600).contains(timeout) else { throw ValidationError("--timeout must be 1 to 3600 seconds.") }
    }

    /// The time limit.
    var limit: Duration { .seconds(timeout) }
}
