package import HTTPTypes

/// One operation: what it is called, who may call it, what it takes and gives, and the code that does it.
///
/// The declaration is the only one: requests are checked against it, the OpenAPI document is made from it, and tests
/// run through all of them.
package struct Endpoint<Principal: Sendable>: Sendable {
    /// The code of an operation.
    ///
    /// It gets a request that has been authenticated, permitted and validated.
    package typealias Handler = @Sendable (EndpointRequest<Principal>) async throws -> EndpointResponse

    /// The method; a GET answers HEAD too.
    package let method: EndpointMethod

    /// The path.
    package let path: PathTemplate

    /// The name of the operation, unique in the document.
    package let operationID: String

    /// The heading under which the document lists it.
    package let tag: String

    /// A few words.
    package let summary: String

    /// Sentences for the reader of the documentation.
    package let description: String

    /// Who may call it.
    package let access: Access

    /// The parameters in the path; each name in braces needs one.
    package let parameters: [PathParameter]

    /// The parameters of the query.
    package let query: QuerySchema

    /// What the body must be like; without one no body is read.
    package let body: RequestBodySchema?

    /// The answers other than problems.
    package let responses: [EndpointResult]

    /// The problems that its own code gives, beyond those that follow from the declaration.
    package let problems: [Problem.Kind]

    /// Whether `Idempotency-Key` is read.
    package let takesIdempotencyKey: Bool

    /// How long the code may take; `nil` where it enforces a deadline of its own.
    package let deadline: Duration?

    /// Whether its requests have a line in the access log.
    ///
    /// Answers of 500 and above always have one.
    package let logsAccess: Bool

    /// Whether the document shows it.
    package let isDocumented: Bool

    /// The code.
    package let handler: Handler

    /// Declares an operation.
    ///
    /// The deadline is 30 seconds by default; without one no task is made for the request.
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
        logsAccess: Bool = true,
        isDocumented: Bool = true,
        handler: @escaping Handler
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
        self.logsAccess = logsAccess
        self.isDocumented = isDocumented
        self.handler = handler
    }
}

/// The method of an operation.
package enum EndpointMethod: Sendable, Equatable {
    /// This one.
    case only(HTTPRequest.Method)
    /// Every one, also those that nobody has heard of.
    case any

    /// GET, and HEAD.
    package static let get = EndpointMethod.only(.get)

    /// POST.
    package static let post = EndpointMethod.only(.post)

    /// PUT.
    package static let put = EndpointMethod.only(.put)

    /// PATCH.
    package static let patch = EndpointMethod.only(.patch)

    /// DELETE.
    package static let delete = EndpointMethod.only(.delete)

    /// The methods that the router knows the operation by.
    var routed: [HTTPRequest.Method] {
        switch self {
        case .only(.get): [.get, .head]
        case .only(let method): [method]
        case .any: [.get, .head, .post, .put, .patch, .delete, .options, .trace, .connect]
        }
    }
}

/// A parameter in the path.
///
/// A value that the schema does not accept is answered as something that does not exist.
package struct PathParameter: Sendable {
    /// The name in braces.
    package let name: String

    /// A text for the reader of the documentation.
    package let description: String

    /// What the decoded segment must be like.
    package let schema: Schema

    /// Makes a parameter; by default any text of up to 255 characters.
    package init(_ name: String, _ description: String, _ schema: Schema = .string(min: 1, max: 255)) {
        self.name = name
        self.description = description
        self.schema = schema
    }
}

/// What the body of a request must be like.
package struct RequestBodySchema: Sendable {
    /// What its JSON must be like.
    package let schema: Schema

    /// Whether an empty body counts as `{}`.
    package let isOptional: Bool

    /// How many bytes it may have.
    package let maximumBytes: Int

    /// Whether it may also be a form, whose fields are then members with strings for values.
    package var acceptsForm = false

    /// The same, as JSON or as a form.
    package var orForm: RequestBodySchema {
        var copy = self
        copy.acceptsForm = true
        return copy
    }

    /// A body that must be there, of at most 64 KiB if nothing else is said.
    package static func required(_ schema: Schema, maximumBytes: Int = 65_536) -> RequestBodySchema {
        RequestBodySchema(schema: schema, isOptional: false, maximumBytes: maximumBytes)
    }

    /// A body that may be empty, of at most 64 KiB if nothing else is said.
    package static func optional(_ schema: Schema, maximumBytes: Int = 65_536) -> RequestBodySchema {
        RequestBodySchema(schema: schema, isOptional: true, maximumBytes: maximumBytes)
    }
}

/// An answer that an operation gives when all goes well.
package struct EndpointResult: Sendable {
    /// The status.
    package let status: HTTPResponse.Status

    /// A text for the reader of the documentation.
    package let description: String

    /// The JSON in it, if any.
    package let schema: Schema?

    /// The media type of the body.
    package let mediaType: String

    /// Header fields and what they say.
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
