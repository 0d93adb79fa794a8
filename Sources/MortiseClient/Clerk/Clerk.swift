/// The types of the manager of Clerk's client, which calls the server at `/clerk`.
public enum Clerk {}
