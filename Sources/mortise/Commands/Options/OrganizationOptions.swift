import ArgumentParser

/// The organization that a command works in.
struct OrganizationOptions: ParsableArguments {
    @Option(help: "The id or slug of the organization.")
    var organization: String
}
