import ArgumentParser

/// The organization that a command works in.
struct OrganizationOptions: ParsableArguments {
    @Option(help: "The id or slug of the organization. (default: the organization of the credential)")
    var organization: String?

    /// The option as a command line has it, with a leading blank.
    ///
    /// Empty if it is absent.
    var spelling: String { organization.map { " --organization \($0)" } ?? "" }
}
