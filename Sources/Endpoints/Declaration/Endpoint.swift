package import HTTPTypes
package import NIOCore

/// The declaration of one operation: its names, its callers, its input and output, and its handler.
///
/// Requests are checked against the declaration, the OpenAPI document is generated from it, and tests check all declarations.
package struct Endpoint<Principal: Sendable>: Sendable {
    /// A function that performs an operation.
    ///
    /// Its request is authenticated, authorized and validated.
    package typealias Handler = @Sendable (EndpointRequest<Principal>) async throws -> EndpointResponse

    /// A function that performs an operation without a wait, or begins it.
    ///
    /// Its request is that of a ``Handler``.
    package typealias FirstStep = @Sendable (EndpointRequest<Principal>) throws -> EndpointStep

    /// The way in which an operation is performed.
    enum Work: Sendable {
        case handler(Handler)
        case firstStep(FirstStep)
    }

    /// The method.
    ///
    /// GET answers HEAD too.
    package let method: EndpointMethod

    /// The path.
    package let path: PathTemplate

    /// The name of the operation.
    ///
    /// Unique in the document.
    package let operationID: String

    /// The heading of the operation in the document.
    package let tag: String

    /// A short imperative sentence.
    package let summary: String

    /// A longer text for readers of the documentation.
    package let description: String

    /// The callers that the operation permits.
    package let access: Access

    /// The parameters of the path, one for each name in braces.
    package let parameters: [PathParameter]

    /// The parameters of the query.
    package let query: QuerySchema

    /// The rules for the body.
    ///
    /// `nil` if the operation takes no body.
    package let body: RequestBodySchema?

    /// True if a body is a fault, for an operation that takes none.
    ///
    /// An empty object counts as no body. Without this, a body that the operation does not take is not read.
    package private(set) var refusesBody = false

    /// The successful answers.
    package let responses: [EndpointResult]

    /// The problems that the handler throws, in addition to those that follow from the declaration.
    package private(set) var problems: [Problem.Kind]

    /// True if the operation reads `Idempotency-Key`.
    package let takesIdempotencyKey: Bool

    /// The maximum time of the handler.
    ///
    /// `nil` if the handler has its own deadline.
    package let deadline: Duration?

    /// The limit of all waits of the authentication and the handler together.
    ///
    /// `EndpointSettings.limitWaits` enforces it without a task.
    package let waits: WaitLimit

    /// Returns true for a request that stops keys, whose waits have the limit `EndpointSettings.stopWaits`.
    ///
    /// `nil` if no request does.
    package private(set) var isStop: (@Sendable (EndpointRequest<Principal>) -> Bool)?

    /// True if requests have a line in the access log.
    ///
    /// Requests with an answer of 500 and above have a line in any case; the log leaves out similar ones beyond five a second.
    package let logsAccess: Bool

    /// True if the metrics count requests to this operation.
    ///
    /// False for the operation that shows them, which would otherwise change its own answer.
    package let isCounted: Bool

    /// True if the document shows the operation.
    package let isDocumented: Bool

    /// The function that performs the operation.
    let work: Work

    /// Declares an operation with a handler, or with a first step in its place.
    ///
    /// The deadline defaults to 30 seconds. An operation without a deadline creates no task for a request. One with a first step has none.
    package init(
        _ method: EndpointMethod,
        _ path: String,
        id operationID: String,
        tag: String,
        summary: String,
        description: String = "",
        access: Access,
        parameters: [PathParameter] = [],
        query: QuerySchema = .none,
        body: RequestBodySchema? = nil,
        responses: [EndpointResult],
        problems: [Problem.Kind] = [],
        takesIdempotencyKey: Bool = false,
        deadline: Duration? = .seconds(30),
        waits: WaitLimit = .usual,
        logsAccess: Bool = true,
        isCounted: Bool = true,
        isDocumented: Bool = true,
        handler: Handler? = nil,
        firstStep: FirstStep? = nil
    ) {
        self.method = method
        self.path = PathTemplate(path)
        self.operationID = operationID
        self.tag = tag
        self.summary = summary
        self.description = description
        self.access = access
        self.parameters = parameters
        self.query = query
        self.body = body
        self.responses = responses
        self.problems = problems
        self.takesIdempotencyKey = takesIdempotencyKey
        self.deadline = deadline
        self.waits = waits
        self.logsAccess = logsAccess
        self.isCounted = isCounted
        self.isDocumented = isDocumented
        switch (handler, firstStep) {
        case (let handler?, nil): work = .handler(handler)
        case (nil, let firstStep?) where deadline == nil: work = .firstStep(firstStep)
        default: preconditionFailure("\(operationID) needs a handler, or a first step and no deadline")
        }
    }

    /// Returns the operation with one more problem.
    package func declaring(_ problem: Problem.Kind) -> Self {
        var copy = self
        copy.problems.append(problem)
        return copy
    }

    /// Returns the operation as one that refuses a body, if it takes none and changes something.
    ///
    /// A client that sends a body means something by it. A gateway can send on a body of somebody else, so an operation for all methods
    /// stays as it is.
    package func refusingBody() -> Self {
        guard body == nil, case .only(let method) = method, method != .get else { return self }
        var copy = self
        copy.refusesBody = true
        return copy
    }

    /// Returns the operation as one that stops keys, which waits for nobody for long.
    ///
    /// - Parameter isStop: Returns true for a request that stops keys; by default all requests do.
    /// - Returns: The operation.
    package func stopping(
        if isStop: @escaping @Sendable (EndpointRequest<Principal>) -> Bool = { _ in true }
    ) -> Self {
        var copy = self
        copy.isStop = isStop
        return copy
    }
}

/// The result of an operation's first step.
package enum EndpointStep: Sendable {
    /// The answer. Nothing was waited for, so the request needs no limit of its waits and takes no turns.
    case answer(EndpointResponse)
    /// The rest of the operation, which waits.
    case wait(@Sendable () async throws -> EndpointResponse)
}

/// The limit of all waits of an operation together, such as those for a database.
package enum WaitLimit: Sendable, Equatable {
    /// The limit of most operations, which is `EndpointSettings.waits`. An operation without a deadline has none.
    case usual
    /// The limit of operations that create or delete a database, read or change keys in many workspaces, or ask other servers:
    /// `EndpointSettings.longWaits`.
    case long
    /// A limit of the operation's own.
    case only(Duration)
}

/// The method of an operation.
package enum EndpointMethod: Sendable, Equatable {
    /// One method.
    case only(HTTPRequest.Method)
    /// All methods, including unknown methods.
    case any

    /// GET and HEAD.
    package static let get = EndpointMethod.only(.get)

    /// POST.
    package static let post = EndpointMethod.only(.post)

    /// PUT.
    package static let put = EndpointMethod.only(.put)

    /// PATCH.
    package static let patch = EndpointMethod.only(.patch)

    /// DELETE.
    package static let delete = EndpointMethod.only(.delete)

    /// The methods that the router routes to the operation.
    var routed: [HTTPRequest.Method] {
        switch self {
        case .only(.get): [.get, .head]
        case .only(let method): [method]
        case .any: [.get, .head, .post, .put, .patch, .delete, .options, .trace, .connect]
        }
    }
}

/// A parameter of the path.
///
/// A value that the schema does not accept is answered with 404.
package struct PathParameter: Sendable {
    /// The name between the braces.
    package let name: String

    /// A text for readers of the documentation.
    package let description: String

    /// The rules for the decoded segment.
    package let schema: Schema

    /// The sentence of an answer 404 if the parameter is the last one of the path; `nil` leaves the problem's own.
    package private(set) var absence: String?

    /// Creates a parameter.
    ///
    /// The schema defaults to a text of 1 to 255 characters.
    package init(_ name: String, _ description: String, _ schema: Schema = .string(min: 1, max: 255)) {
        self.name = name
        self.description = description
        self.schema = schema
    }

    /// Returns the parameter with the sentence of an answer 404.
    package func absent(_ sentence: String) -> PathParameter {
        var copy = self
        copy.absence = sentence
        return copy
    }
}

/// The rules for the body of a request.
package struct RequestBodySchema: Sendable {
    /// The rules for the JSON.
    package let schema: Schema

    /// True if an empty body counts as `{}`.
    package let isOptional: Bool

    /// The maximum length in bytes.
    package let maximumBytes: Int

    /// True if the body can also be a form, whose fields become members with string values.
    package var acceptsForm = false

    /// A check of the bytes before anything parses them.
    ///
    /// The check of a body that is signed: until then it is anybody's, and parsing it costs more than a signature.
    package typealias Check = @Sendable (HTTPFields, MortiseRequestContext, ByteBuffer) async throws -> Void

    /// The check of the bytes.
    ///
    /// `nil` if a body is parsed at once.
    package var check: Check?

    /// Returns the rules with a check of the bytes.
    package func checked(by check: @escaping Check) -> RequestBodySchema {
        var copy = self
        copy.check = check
        return copy
    }

    /// A copy of the rules that also accepts a form.
    package var orForm: RequestBodySchema {
        var copy = self
        copy.acceptsForm = true
        return copy
    }

    /// The maximum length of most bodies: 64 KiB.
    package static let usualBytes = 65_536

    /// Returns the rules for a required body.
    ///
    /// The maximum length defaults to 64 KiB.
    package static func required(_ schema: Schema, maximumBytes: Int = RequestBodySchema.usualBytes)
        -> RequestBodySchema
    {
        RequestBodySchema(schema: schema, isOptional: false, maximumBytes: maximumBytes)
    }

    /// Returns the rules for a body that can be empty.
    ///
    /// The maximum length defaults to 64 KiB.
    package static func optional(_ schema: Schema, maximumBytes: Int = RequestBodySchema.usualBytes)
        -> RequestBodySchema
    {
        RequestBodySchema(schema: schema, isOptional: true, maximumBytes: maximumBytes)
    }
}

/// The declaration of a successful answer.
package struct EndpointResult: Sendable {
    /// The status.
    package let status: HTTPResponse.Status

    /// A text for readers of the documentation.
    package let description: String

    /// The rules for the JSON.
    ///
    /// `nil` without JSON.
    package let schema: Schema?

    /// The media type of the body.
    package let mediaType: String

    /// The header fields and their descriptions.
    package let headers: [(name: String, description: String)]

    /// Declares an answer.
    package init(
        _ status: HTTPResponse.Status,
        _ description: String,
        _ schema: Schema? = nil,
        mediaType: String = "application/json",
        headers: [(name: String, description: String)] = []
    ) {
        self.status = status
        self.description = description
        self.schema = schema
        self.mediaType = mediaType
        self.headers = headers
    }
}
