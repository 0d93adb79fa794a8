import ArgumentParser

/// Option groups that include the options of a call.
protocol CallOptionGroup: ParsableArguments, Sendable {
    var call: CallOptions { get }
}

/// The options of every command that calls a server.
struct CallOptions: CallOptionGroup {
    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    var call: CallOptions { self }
}

/// The options of a command that lists objects.
struct ListOptions: CallOptionGroup {
    @OptionGroup(title: "Paging")
    var pages: PageOptions

    @OptionGroup
    var call: CallOptions
}

/// The options of a command that makes a change that asks for confirmation.
struct ConfirmedOptions: CallOptionGroup {
    @OptionGroup
    var confirmation: ConfirmationOptions

    @OptionGroup
    var call: CallOptions
}

/// The options of a command that creates an object.
struct CreateOptions: CallOptionGroup {
    @OptionGroup(title: "Repetition")
    var idempotency: IdempotencyOptions

    @OptionGroup
    var call: CallOptions
}

/// The options of a command that creates a token.
struct NewTokenOptions: CallOptionGroup {
    @OptionGroup(title: "New token")
    var token: TokenOptions

    @OptionGroup
    var create: CreateOptions

    var call: CallOptions { create.call }
}
