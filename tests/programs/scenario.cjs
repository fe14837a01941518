// What every client is put through, with the AWS SDK for JavaScript, version 3; it prints what it saw as JSON.
const sdk = require("@aws-sdk/client-sagemaker");

const role = "arn:aws:iam::123456789012:role/SageMakerExecutionRole";
const image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/model:1";
const client = new sdk.SageMakerClient({ retryStrategy: undefined });
const seen = {};

const request = (name, more = {}) => ({ ModelName: name, ExecutionRoleArn: role, PrimaryContainer: { Image: image }, ...more });

async function failing(command) {
  try {
    await client.send(command);
  } catch (error) {
    return { name: error.name, message: error.message, status: error.$metadata.httpStatusCode, attempts: error.$metadata.attempts };
  }
  return null;
}

async function main() {
  const created = await client.send(new sdk.CreateModelCommand(request("js-0", { Tags: [{ Key: "team", Value: "größe" }] })));
  seen.arn = created.ModelArn;
  seen.requestId = created.$metadata.requestId;
  for (const number of [1, 2, 3, 4]) await client.send(new sdk.CreateModelCommand(request(`js-${number}`)));
  const described = await client.send(new sdk.DescribeModelCommand({ ModelName: "js-0" }));
  seen.described = { name: described.ModelName, image: described.PrimaryContainer.Image, isDate: described.CreationTime instanceof Date };
  seen.pages = [];
  for await (const page of sdk.paginateListModels({ client, pageSize: 2 }, {})) seen.pages.push(page.Models.map((model) => model.ModelName));
  await client.send(new sdk.AddTagsCommand({ ResourceArn: created.ModelArn, Tags: [{ Key: "stage", Value: "test" }] }));
  seen.tags = (await client.send(new sdk.ListTagsCommand({ ResourceArn: created.ModelArn }))).Tags.map((tag) => [tag.Key, tag.Value]);
  const deleted = await client.send(new sdk.DeleteModelCommand({ ModelName: "js-4" }));
  seen.deleted = deleted.$metadata.httpStatusCode;
  seen.invalid = await failing(new sdk.CreateModelCommand(request("not_a_name")));
  seen.missing = await failing(new sdk.DescribeModelCommand({ ModelName: "nope" }));
  seen.limit = await failing(new sdk.CreateModelCommand(request("js-5")));
  const listed = await client.send(new sdk.ListModelsCommand({}));
  seen.retried = listed.$metadata.attempts;
  seen.gaveUp = await failing(new sdk.DeleteModelCommand({ ModelName: "js-3" }));
  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
